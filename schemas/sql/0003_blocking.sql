-- Whom accounts do not want to hear from (XEP-0191).
CREATE TABLE blocks (
    account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    address TEXT    NOT NULL,
    PRIMARY KEY (account, address)
) STRICT, WITHOUT ROWID;

-- What they report of those they block, for the administrator (XEP-0377).
CREATE TABLE reports (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    body    BLOB    NOT NULL
) STRICT;
-- Without it every deletion of an account reads all reports.
CREATE INDEX reports_account ON reports (account);
