//! Why bytes are not a presence document.

/// The publisher's body is at fault. A SIP face answers 400, or 415 where the type was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Not well-formed XML with namespaces, not UTF-8, or with a document type declaration.
    #[error("the document is not well-formed XML")]
    NotWellFormed,
    /// Elements are nested deeper than [`crate::pidf::MAX_DEPTH`].
    #[error("the document nests too deeply")]
    TooDeep,
    /// It is larger, or holds more elements, than this server takes.
    #[error("the document is too large")]
    TooLarge,
    /// The root is not `<presence/>` of RFC 3863.
    #[error("the document is not PIDF")]
    NotPidf,
    /// The root has no `entity` (RFC 3863 §4.1.1).
    #[error("the document does not say whose presence it is")]
    EntityMissing,
}
