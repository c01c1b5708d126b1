-- Schema 5: tokens that clients log in with instead of a password. At most two for each client: one that was used, and one that was
-- issued after it. What a token is made of is here, what it is made with is not.
CREATE TABLE login_tokens (
    account   INTEGER NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    client    BLOB    NOT NULL,
    used      INTEGER NOT NULL,
    mechanism INTEGER NOT NULL,
    nonce     BLOB    NOT NULL,
    password  BLOB    NOT NULL,
    issued    INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    PRIMARY KEY (account, client, used)
) STRICT, WITHOUT ROWID;
