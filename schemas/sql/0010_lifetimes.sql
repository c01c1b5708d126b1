-- Schema 10: what in a node ends by itself, and how subscriptions are configured.

-- Seconds for which items are kept; nothing: for ever.
ALTER TABLE nodes ADD COLUMN lifetime INTEGER;

-- In the form of its maker; 0 is what nobody has configured.
ALTER TABLE subscriptions ADD COLUMN options INTEGER NOT NULL DEFAULT 0;

-- When it ends, in milliseconds since 1970; nothing: never.
ALTER TABLE subscriptions ADD COLUMN until INTEGER;
