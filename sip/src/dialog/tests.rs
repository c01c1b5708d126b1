//! Examples of dialogs.
