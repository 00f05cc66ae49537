package system

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestMain is the process whose clock is set: for every line it reads it prints the time.
func TestMain(m *testing.M) {
	if os.Getenv("EDGEREF_TEST_CLOCK") == "" {
		os.Exit(m.Run())
	}
	began := time.Now()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		now := time.Now()
		fmt.Println(now.Unix(), int64(now.Sub(began)/time.Second))
	}
}

// The time of day moves, the time that has passed does not.
func TestClock(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{"EDGEREF_TEST_CLOCK=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewScanner(out)
	ask := func(want time.Duration) {
		t.Helper()
		in.Write([]byte("\n"))
		if !answers.Scan() {
			t.Fatal("the process has ended")
		}
		var unix, passed int64
		if _, err := fmt.Sscan(answers.Text(), &unix, &passed); err != nil {
			t.Fatalf("%q: %v", answers.Text(), err)
		}
		off := time.Until(time.Unix(unix, 0)) - want
		if off.Abs() > 30*time.Second || passed < 0 || passed > 60 {
			t.Errorf("off by %v of %v; %d s passed", off, want, passed)
		}
	}
	ask(0)
	c, err := (&Process{T: t, Cmd: cmd}).Clock()
	if err != nil {
		t.Fatal(err)
	}
	for _, offset := range []time.Duration{0, -time.Hour, 24 * time.Hour, 0} {
		if err := c.Set(offset); err != nil {
			t.Fatal(err)
		}
		ask(offset)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
