package spool

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
)

// childEnv makes the test binary a process that appends to the spool in the directory named.
const childEnv = "EDGEREF_SPOOL_TEST_CHILD"

// childAppend appends from several goroutines until it is killed, and prints each record once it is acknowledged.
func childAppend(dir string) int {
	opt := options(dir)
	opt.SegmentBytes = 16 << 10
	s, err := Open(opt)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for a := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				p := fmt.Sprintf("%d-%d-%d", os.Getpid(), a, i)
				if s.Append([]byte(p)) != nil {
					return
				}
				mu.Lock()
				fmt.Println(p)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return 0
}

// What Append acknowledged survives kill -9, three times over.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	acked := make(map[string]bool)
	for range 3 {
		for _, p := range runAndKill(t, dir, 2000) {
			acked[p] = true
		}
	}
	s := mustOpen(t, options(dir))
	got := drain(t, s)
	for _, p := range got {
		delete(acked, p)
	}
	if len(acked) > 0 {
		t.Errorf("%d acknowledged records are lost", len(acked))
	}
	slices.Sort(got)
	if n := len(slices.Compact(slices.Clone(got))); n != len(got) {
		t.Errorf("%d records came twice", len(got)-n)
	}
	if st := checkSums(t, s); st.Quarantined != 0 {
		t.Errorf("%d records quarantined", st.Quarantined)
	}
}

// runAndKill returns the records that a child acknowledged before it was killed in the middle of its work.
func runAndKill(t *testing.T, dir string, atLeast int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acked []string
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // an incomplete last line is not an acknowledgement
		}
		acked = append(acked, line[:len(line)-1])
		if len(acked) == atLeast {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("child: %v; want killed", err)
	}
	return acked
}
