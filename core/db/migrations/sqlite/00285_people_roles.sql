-- +goose Up
-- Who holds a role: owners are counted by it, and staff are listed.
CREATE INDEX people_roles ON people (roles, id);
