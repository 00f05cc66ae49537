//go:build !linux

package load

import (
	"context"
	"errors"
)

// Run needs epoll.
func Run(context.Context, Options) (Result, error) {
	return Result{}, errors.New("load tests need Linux, because the generator is built on epoll")
}
