-- Shared groups made by command; those of the configuration are not stored.
CREATE TABLE groups (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT    NOT NULL UNIQUE,
    everybody INTEGER NOT NULL
) STRICT;

CREATE TABLE group_members (
    in_group INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    account  INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (in_group, account)
) STRICT, WITHOUT ROWID;
-- Without it every deletion of an account reads all members.
CREATE INDEX group_members_account ON group_members (account);
