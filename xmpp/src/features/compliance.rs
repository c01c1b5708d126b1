//! The rows of XEP-0479 (0.1.0) that are about servers, in the order of that document.

/// A suite.
pub(super) struct Category {
    pub(super) name: &'static str,
    pub(super) rows: &'static [Row],
}

/// One feature.
pub(super) struct Row {
    pub(super) feature: &'static str,
    pub(super) level: Level,
    pub(super) specifications: &'static [&'static str],
    /// What is said of a specification that is not in the table.
    pub(super) otherwise: &'static str,
}

/// Of whom it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// Of servers, and so of advanced servers as well.
    Core,
    /// Of advanced servers.
    Advanced,
    /// Of clients alone: it does not apply to servers.
    Clients,
}

const PASSED_ON: &str = "nothing to do: passed on untouched";

const fn core(feature: &'static str, specifications: &'static [&'static str]) -> Row {
    row(feature, Level::Core, specifications, "planned")
}

const fn advanced(feature: &'static str, specifications: &'static [&'static str]) -> Row {
    row(feature, Level::Advanced, specifications, "planned")
}

const fn clients(feature: &'static str, specifications: &'static [&'static str]) -> Row {
    row(feature, Level::Clients, specifications, PASSED_ON)
}

const fn row(
    feature: &'static str,
    level: Level,
    specifications: &'static [&'static str],
    otherwise: &'static str,
) -> Row {
    Row {
        feature,
        level,
        specifications,
        otherwise,
    }
}

/// All suites.
pub(super) const SUITES: &[Category] = &[
    Category {
        name: "Core",
        rows: &[
            core("Core features", &["RFC 6120"]),
            core("TLS", &["RFC 7590"]),
            advanced("Direct TLS", &["XEP-0368"]),
            core("Feature discovery", &["XEP-0030"]),
            advanced("Feature broadcasts", &["XEP-0115"]),
            core("Server extensibility", &["XEP-0114"]),
            advanced("Event publishing", &["XEP-0163"]),
        ],
    },
    Category {
        name: "Web",
        rows: &[
            core(
                "Web connection mechanisms",
                &["RFC 7395", "XEP-0206", "XEP-0124"],
            ),
            row(
                "Connection mechanism discovery",
                Level::Clients,
                &["XEP-0156"],
                "planned",
            ),
        ],
    },
    Category {
        name: "IM",
        rows: &[
            core("Core features", &["RFC 6121"]),
            clients("The /me command", &["XEP-0245"]),
            row(
                "User avatars",
                Level::Clients,
                &["XEP-0084"],
                "nothing of its own: kept by publish-subscribe, see XEP-0163",
            ),
            advanced("User avatar compatibility", &["XEP-0398", "XEP-0153"]),
            core("vcard-temp", &["XEP-0054"]),
            core("Outbound message synchronisation", &["XEP-0280"]),
            advanced("User blocking", &["XEP-0191"]),
            core("Group chat", &["XEP-0045", "XEP-0249"]),
            advanced(
                "Advanced group chat",
                &["XEP-0048", "XEP-0313", "XEP-0402", "XEP-0410"],
            ),
            advanced(
                "Persistent storage of private data by publish-subscribe",
                &["XEP-0223"],
            ),
            advanced("Private XML storage", &["XEP-0049"]),
            advanced("Stream management", &["XEP-0198"]),
            clients("Message acknowledgements", &["XEP-0184"]),
            advanced("History storage and retrieval", &["XEP-0313"]),
            clients("Chat states", &["XEP-0085"]),
            clients("Message correction", &["XEP-0308"]),
            core("File upload", &["XEP-0363"]),
            clients("Direct file transfer", &["XEP-0234", "XEP-0261"]),
        ],
    },
    Category {
        name: "Mobile",
        rows: &[
            core("Stream management", &["XEP-0198"]),
            core("Client state indication", &["XEP-0352"]),
            row(
                "Third party push notifications",
                Level::Advanced,
                &["XEP-0357"],
                "not planned yet",
            ),
        ],
    },
    Category {
        name: "A/V calling",
        rows: &[
            clients("Call setup", &["XEP-0167", "XEP-0353"]),
            clients("Transport", &["XEP-0176"]),
            clients("Encryption", &["XEP-0320"]),
            core("STUN and TURN server discovery", &["XEP-0215"]),
            clients(
                "Quality and performance",
                &["XEP-0293", "XEP-0294", "XEP-0338", "XEP-0339"],
            ),
        ],
    },
];
