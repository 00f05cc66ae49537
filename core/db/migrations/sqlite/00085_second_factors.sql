-- +goose Up
-- confirmed_at 0: enrolment has begun. last_step: the newest time step whose code was taken; older ones are refused.
CREATE TABLE second_factors (
    person_id    INTEGER NOT NULL PRIMARY KEY,
    secret       TEXT NOT NULL, -- sealed
    confirmed_at INTEGER NOT NULL,
    last_step    INTEGER NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;
