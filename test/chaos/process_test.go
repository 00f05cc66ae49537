package chaos

import (
	"testing"
	"time"

	"github.com/edgeref/edgeref/test/system"
)

// binary is what users run, without the race detector: the faults need its speed, and e2e has it.
var binary = system.Builder("../..")

type process = system.Process

// run runs a command of edgeref to its end.
func run(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	stdout, stderr, err := system.Run(t, binary, env, args...)
	return stdout + stderr, err
}

func waitFor(t *testing.T, limit time.Duration, condition func() bool, why func() string) {
	t.Helper()
	system.WaitFor(t, limit, condition, why)
}

// pass lets time go by while traffic runs: the moment of a fault, not a wait for anything.
func pass(d time.Duration) { <-time.After(d) }

var client = system.NewClient()

func get(url string) (int, string) { return system.Get(url) }

// status is the answer's code alone, 0 where nobody answers.
func status(url string) int { code, _ := get(url); return code }
