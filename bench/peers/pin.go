package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// The two cores that a run uses.
const (
	serverCore = 0
	clientCore = 1
)

// pinnedEnv marks a process that has been started again on its core.
const pinnedEnv = "PEERS_PINNED"

// pinSelf restarts the program on one core: an affinity set later would not hold for threads that exist already.
func pinSelf(core int) error {
	if os.Getenv(pinnedEnv) != "" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own binary: %w", err)
	}
	runtime.LockOSThread()
	if err := setAffinity(core); err != nil {
		return err
	}
	// Servers inherit it. Without the right to it, what else the machine does is felt more.
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, -15)
	err = unix.Exec(self, os.Args, append(os.Environ(), pinnedEnv+"=1"))
	return fmt.Errorf("start again on core %d: %w", core, err)
}

// startPinned starts cmd on the servers' core, in a process group of its own.
func startPinned(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	done := make(chan error)
	go func() {
		// Not unlocked: the thread ends with the goroutine, and its affinity with it. A child inherits it.
		runtime.LockOSThread()
		if err := setAffinity(serverCore); err != nil {
			done <- err
			return
		}
		done <- cmd.Start()
	}()
	return <-done
}

func setAffinity(core int) error {
	var set unix.CPUSet
	set.Set(core)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pin to core %d, of which two are needed: %w", core, err)
	}
	return nil
}
