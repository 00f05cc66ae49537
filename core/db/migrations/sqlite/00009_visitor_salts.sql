-- +goose Up
CREATE TABLE visitor_salts (
    day  INTEGER NOT NULL PRIMARY KEY, -- days since 1970-01-01 UTC
    salt BLOB    NOT NULL
) STRICT;
