// Package e2e holds the tests that run the real binary as its users do: whole replays, kills, restarts, and the count
// of what is left. It has no code of its own.
package e2e
