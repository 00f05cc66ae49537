-- +goose Up
-- Browsers that a person has signed in with; their attempts are counted apart from those of strangers.
CREATE TABLE known_devices (
    hash       BLOB NOT NULL, -- SHA-256 of the secret in the cookie and the person
    person_id  INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX known_devices_person ON known_devices (person_id);
CREATE INDEX known_devices_expiry ON known_devices (expires_at);
