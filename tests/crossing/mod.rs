//! XMPP and SIP clients that meet in one server.
