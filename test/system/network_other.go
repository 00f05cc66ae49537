//go:build !linux

package system

import (
	"errors"
	"os"
	"testing"
)

var errNoNamespaces = errors.New("network namespaces are there on linux only")

// Network is edge nodes in network namespaces of their own.
type Network struct {
	Hub   string
	Nodes []*Node
}

// Node is one edge node.
type Node struct{ Address string }

// NewNetwork is an error.
func NewNetwork(testing.TB, int) (*Network, error) { return nil, errNoNamespaces }

// Close does nothing.
func (n *Network) Close() {}

// Prefix is nothing.
func (n *Node) Prefix() []string { return nil }

// Cut is an error.
func (n *Node) Cut() error { return errNoNamespaces }

// Mend is an error.
func (n *Node) Mend() error { return errNoNamespaces }

// Listen is an error.
func (n *Node) Listen() (*os.File, error) { return nil, errNoNamespaces }
