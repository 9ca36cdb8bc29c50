//! Names of the attributes that tell a place in the source.

super::names! {
    /// `code.function.name`: the function, with its path.
    CODE_FUNCTION_NAME = "code.function.name",
    /// `code.file.path`: the file.
    CODE_FILE_PATH = "code.file.path",
    /// `code.line.number`: the line.
    CODE_LINE_NUMBER = "code.line.number",
    /// `code.column.number`: the column.
    CODE_COLUMN_NUMBER = "code.column.number",
    /// `code.stacktrace`: the stack.
    CODE_STACKTRACE = "code.stacktrace",
}
