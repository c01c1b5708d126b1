//! Namespace declarations in force (Namespaces in XML 1.0).

use std::sync::Arc;

use smallvec::SmallVec;

use crate::error::ReadError;

pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// Declarations, the innermost last. The prefix of the default namespace is empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    declared: SmallVec<[(Arc<str>, Arc<str>); 2]>,
}

impl Scope {
    /// With the default namespace that is inherited.
    pub(crate) fn inherited(default: &Arc<str>) -> Self {
        let mut scope = Self::default();
        if !default.is_empty() {
            scope.declared.push((Arc::from(""), Arc::clone(default)));
        }
        scope
    }

    pub(crate) fn len(&self) -> usize {
        self.declared.len()
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.declared.truncate(len);
    }

    /// Takes a declaration, `xmlns` or `xmlns:prefix`.
    pub(crate) fn declare(&mut self, prefix: &str, uri: &str) -> Result<(), ReadError> {
        let wrong = match prefix {
            "xmlns" => true,
            "xml" => uri != XML,
            "" => uri == XML || uri == XMLNS,
            _ => uri.is_empty() || uri == XML || uri == XMLNS,
        };
        if wrong {
            return Err(ReadError::Prefix);
        }
        if prefix != "xml" {
            self.declared.push((Arc::from(prefix), Arc::from(uri)));
        }
        Ok(())
    }

    /// The namespace of a prefix.
    pub(crate) fn find(&self, prefix: &str) -> Option<&Arc<str>> {
        self.declared
            .iter()
            .rev()
            .find(|(p, _)| **p == *prefix)
            .map(|(_, uri)| uri)
    }

    /// The prefix stands for what the first `outside` declarations say.
    pub(crate) fn is_outer(&self, prefix: &str, outside: usize) -> bool {
        self.declared
            .iter()
            .rposition(|(p, _)| **p == *prefix)
            .is_some_and(|at| at < outside)
    }
}
