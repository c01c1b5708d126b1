-- Schema 8: nodes of accounts (PEP, publish-subscribe) with what belongs to them.

-- `config` is in the form of its maker.
CREATE TABLE nodes (
    account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name    TEXT    NOT NULL,
    config  BLOB    NOT NULL,
    PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;

-- Items in the order in which they were published, so that the last one is found at once. `payload` stands last: a list does not read it.
CREATE TABLE items (
    account   INTEGER NOT NULL,
    node      TEXT    NOT NULL,
    seq       INTEGER NOT NULL,
    id        TEXT    NOT NULL,
    publisher TEXT,
    at        INTEGER NOT NULL,
    size      INTEGER NOT NULL,
    payload   BLOB    NOT NULL,
    PRIMARY KEY (account, node, seq),
    FOREIGN KEY (account, node) REFERENCES nodes (account, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- What others than the owner are to a node.
CREATE TABLE affiliations (
    account     INTEGER NOT NULL,
    node        TEXT    NOT NULL,
    who         TEXT    NOT NULL,
    affiliation INTEGER NOT NULL,
    PRIMARY KEY (account, node, who),
    FOREIGN KEY (account, node) REFERENCES nodes (account, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Explicit subscriptions, of bare and full addresses.
CREATE TABLE subscriptions (
    account INTEGER NOT NULL,
    node    TEXT    NOT NULL,
    who     TEXT    NOT NULL,
    state   INTEGER NOT NULL,
    PRIMARY KEY (account, node, who),
    FOREIGN KEY (account, node) REFERENCES nodes (account, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
