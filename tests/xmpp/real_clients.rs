//! Clients that people use: slixmpp and Profanity.
