//! Which process of the fleet.

use std::fmt;

use crate::arguments::Service;

/// A service, and which of its instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::demo) struct Member {
    service: Service,
    instance: usize,
}

impl Member {
    pub(in crate::demo) const fn new(service: Service, instance: usize) -> Self {
        Self { service, instance }
    }

    /// The first so many instances of a service.
    pub(super) fn all(service: Service, instances: usize) -> impl Iterator<Item = Self> {
        (1..=instances).map(move |instance| Self { service, instance })
    }

    pub(in crate::demo) const fn service(self) -> Service {
        self.service
    }

    /// The number of the instance, from 1.
    pub(super) const fn instance(self) -> usize {
        self.instance
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.service.name(), self.instance)
    }
}
