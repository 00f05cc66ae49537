-- +goose Up
CREATE TABLE recovery_codes (
    hash      BLOB NOT NULL, -- SHA-256 of the person and the code
    person_id INTEGER NOT NULL,
    used_at   INTEGER NOT NULL, -- 0: not used
    PRIMARY KEY (hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX recovery_codes_person ON recovery_codes (person_id);
