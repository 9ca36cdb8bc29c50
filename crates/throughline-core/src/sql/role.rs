//! What a token does in its statement: is it the operation, or what the operation works on?

use super::token::{Kind, Token};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// `SELECT`, `INSERT`, `CREATE`
    Operation,
    /// `TABLE` after `CREATE`
    Object,
    /// The name of a table, a procedure, or a part of it with its dots.
    Target,
    Other,
}

/// Follows a statement token by token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roles {
    expected: Expected,
    /// Whether the statement has not begun yet.
    is_start: bool,
    /// Whether a `SELECT` stands outside of all parentheses.
    selects: bool,
    before: Before,
    depth: u32,
    /// A bit for each open parenthesis, and the lowest for none: whether a query stands in it.
    queries: u64,
    /// The same: whether a list of tables stands in it.
    lists: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Nothing,
    /// `TABLE`, `INDEX`, and so on.
    Object,
    Target,
    /// The part behind a dot, which may be called like any keyword.
    Part,
    /// A dot, or no more of the target.
    MoreOfTarget,
}

/// What stands before, as far as it changes what comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// `ON`, `FOR`, `DO`, `KEY`: what comes next is no operation.
    Clause,
    /// An opening parenthesis.
    Open,
    Other,
}

impl Roles {
    pub(super) const fn new() -> Self {
        Self {
            expected: Expected::Nothing,
            is_start: true,
            selects: false,
            before: Before::Other,
            depth: 0,
            queries: 1,
            lists: 0,
        }
    }

    /// The role of the next token.
    pub(super) fn next(&mut self, token: Token<'_>) -> Role {
        match token.kind {
            Kind::Space | Kind::Comment => Role::Other,
            Kind::Word => self.word(token.text),
            Kind::Name | Kind::DoubleQuoted => self.name(),
            Kind::Other => self.punctuation(token.text),
            Kind::Literal | Kind::Parameter | Kind::Unclear => {
                self.expected = Expected::Nothing;
                Role::Other
            }
        }
    }

    fn name(&mut self) -> Role {
        match self.expected {
            Expected::Target | Expected::Part => {
                self.expected = Expected::MoreOfTarget;
                Role::Target
            }
            Expected::Nothing | Expected::Object | Expected::MoreOfTarget => {
                self.expected = Expected::Nothing;
                Role::Other
            }
        }
    }

    fn punctuation(&mut self, text: &str) -> Role {
        match text {
            "." if self.expected == Expected::MoreOfTarget => {
                self.expected = Expected::Part;
                return Role::Target;
            }
            "(" => self.open(),
            ")" => self.close(),
            "," if self.lists & self.bit() != 0 => self.expected = Expected::Target,
            ";" => *self = Self::new(),
            _ => self.expected = Expected::Nothing,
        }
        Role::Other
    }

    fn open(&mut self) {
        self.depth = self.depth.saturating_add(1);
        self.queries &= !self.bit();
        self.lists &= !self.bit();
        self.expected = Expected::Nothing;
        self.before = Before::Open;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.expected = Expected::Nothing;
    }

    /// The bit of the innermost parenthesis; none where they are nested deeper than anybody would.
    const fn bit(&self) -> u64 {
        if self.depth < u64::BITS { 1 << self.depth } else { 0 }
    }

    fn word(&mut self, word: &str) -> Role {
        let is = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
        let was_start = std::mem::replace(&mut self.is_start, false);
        let is_clause = is(&["on", "for", "do", "key", "then"]);
        let now = if is_clause { Before::Clause } else { Before::Other };
        let before = std::mem::replace(&mut self.before, now);
        let begins = self.may_begin(was_start, before) && is(CHANGES) && (self.depth == 0 || !is(FUNCTIONS));
        let is_name = self.expected == Expected::Target && !is(FILLERS) && !is(&["select"]);
        if is_name || self.expected == Expected::Part {
            return self.name();
        }
        let (role, expected) = if is(&["select"]) {
            self.selects |= self.depth == 0;
            self.queries |= self.bit();
            self.lists &= !self.bit();
            (Role::Operation, Expected::Nothing)
        } else if begins {
            self.queries |= self.bit();
            let names_target = is(&["update", "call", "exec", "execute"]);
            (Role::Operation, if names_target { Expected::Target } else { Expected::Nothing })
        } else if was_start && is(&["create", "alter", "drop", "truncate"]) {
            (Role::Operation, Expected::Object)
        } else if self.expected == Expected::Object && is(OBJECTS) {
            (Role::Object, Expected::Target)
        } else if self.expected == Expected::Object {
            (Role::Other, Expected::Object)
        } else if is(&["from"]) && self.queries & self.bit() != 0 {
            self.lists |= self.bit();
            (Role::Other, Expected::Target)
        } else if is(&["join", "into"]) {
            (Role::Other, Expected::Target)
        } else if is(ENDS_OF_LISTS) {
            self.lists &= !self.bit();
            (Role::Other, Expected::Nothing)
        } else if is(FILLERS) {
            (Role::Other, self.expected)
        } else if was_start && !is(&["with"]) {
            (Role::Operation, Expected::Nothing)
        } else {
            (Role::Other, Expected::Nothing)
        };
        self.expected = expected;
        role
    }

    /// Words that change something are names of functions, columns and clauses, too: they operate at the start, after a
    /// `WITH`, and as the first in a part of one.
    fn may_begin(&self, is_start: bool, before: Before) -> bool {
        match before {
            Before::Clause => false,
            Before::Open => true,
            Before::Other => is_start || self.depth == 0 && !self.selects,
        }
    }
}

/// Operations that change something.
const CHANGES: &[&str] = &["call", "delete", "exec", "execute", "insert", "merge", "replace", "update"];

/// Those of them that are names of functions, too.
const FUNCTIONS: &[&str] = &["insert", "replace"];

/// What a `CREATE` makes.
const OBJECTS: &[&str] = &[
    "database",
    "function",
    "index",
    "procedure",
    "role",
    "schema",
    "sequence",
    "table",
    "trigger",
    "type",
    "user",
    "view",
];

/// What may stand between an operation and its target.
const FILLERS: &[&str] = &["exists", "if", "ignore", "lateral", "low_priority", "not", "only"];

const ENDS_OF_LISTS: &[&str] = &[
    "cross",
    "except",
    "fetch",
    "full",
    "group",
    "having",
    "inner",
    "intersect",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "order",
    "returning",
    "right",
    "set",
    "union",
    "using",
    "values",
    "where",
    "window",
];
