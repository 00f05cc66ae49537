package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
	yaml "go.yaml.in/yaml/v3"
)

// FileEnv names the configuration file when no --config is given; without both there is none.
const FileEnv = "EDGEREF_CONFIG"

// reservedEnv begin with the prefix and are not settings.
var reservedEnv = [...]string{FileEnv, "EDGEREF_TEST_", "EDGEREF_BENCH_"}

// Loader collects the sources of a configuration. Use: NewLoader, AddFlags, parse the flags, Load.
type Loader struct {
	config   Config
	settings []*Setting
	file     string
	flags    *pflag.FlagSet
}

// NewLoader returns a loader that holds the defaults.
func NewLoader() *Loader {
	l := &Loader{}
	l.settings = Settings(&l.config)
	for _, s := range l.settings {
		if err := s.Set(s.Default); err != nil {
			panic("BUG: default of " + err.Error())
		}
	}
	return l
}

// AddFlags registers --config and a flag for every setting.
func (l *Loader) AddFlags(flags *pflag.FlagSet) {
	l.flags = flags
	flags.StringVar(&l.file, "config", "", "configuration file, YAML (environment: "+FileEnv+")")
	for _, s := range l.settings {
		usage := s.Help + " [" + s.Env + "]"
		f := flags.VarPF(&flagValue{text: s.Text(), kind: s.Type()}, s.Flag, "", usage)
		if s.value.Kind().String() == "bool" {
			f.NoOptDefVal = "true"
		}
	}
}

// flagValue keeps a flag's text until Load: the file and the environment are read first.
type flagValue struct{ text, kind string }

func (f *flagValue) String() string { return f.text }
func (f *flagValue) Type() string   { return f.kind }
func (f *flagValue) Set(text string) error {
	f.text = text
	return nil
}

// Load reads the file, the environment (as KEY=value lines, see os.Environ) and the parsed flags, in that order of
// precedence, and validates the result for the role. It returns every error that it finds, joined.
func (l *Loader) Load(role Role, environ []string) (*Config, error) {
	env := make(map[string]string, len(environ))
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok {
			env[k] = v
		}
	}
	if l.file == "" {
		l.file = env[FileEnv]
	}
	err := errors.Join(l.loadFile(), l.loadEnv(env), l.loadFlags())
	if err != nil {
		return nil, err
	}
	if err := l.config.validate(role); err != nil {
		return nil, err
	}
	return &l.config, nil
}

// Settings returns every setting as it was loaded, in the order of the struct.
func (l *Loader) Settings() []*Setting { return l.settings }

// File is the configuration file that was read; empty: none.
func (l *Loader) File() string { return l.file }

func (l *Loader) find(match func(*Setting) bool) *Setting {
	for _, s := range l.settings {
		if match(s) {
			return s
		}
	}
	return nil
}

func (l *Loader) set(s *Setting, text, source string) error {
	if err := s.Set(text); err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	s.source = source
	return nil
}

func (l *Loader) loadFlags() error {
	var errs []error
	if l.flags == nil {
		return nil
	}
	l.flags.Visit(func(f *pflag.Flag) {
		if s := l.find(func(s *Setting) bool { return s.Flag == f.Name }); s != nil {
			errs = append(errs, l.set(s, f.Value.String(), "flag"))
		}
	})
	return errors.Join(errs...)
}

func (l *Loader) loadEnv(env map[string]string) error {
	var errs []error
	for name, text := range env {
		if !strings.HasPrefix(name, envPrefix) || reserved(name) {
			continue
		}
		s := l.find(func(s *Setting) bool { return s.Env == name })
		if s == nil {
			errs = append(errs, fmt.Errorf("environment: %s is not a setting%s", name, l.nearest(name, func(s *Setting) string { return s.Env })))
			continue
		}
		errs = append(errs, l.set(s, text, "environment"))
	}
	return errors.Join(errs...)
}

func reserved(name string) bool {
	for _, r := range reservedEnv {
		if name == r || strings.HasSuffix(r, "_") && strings.HasPrefix(name, r) {
			return true
		}
	}
	return false
}

func (l *Loader) loadFile() error {
	if l.file == "" {
		return nil
	}
	f, err := os.Open(l.file)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	var root, more yaml.Node
	decoder := yaml.NewDecoder(f)
	if err := decoder.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return fmt.Errorf("read configuration %s: %w", l.file, err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return fmt.Errorf("read configuration %s: it must be one document", l.file)
	}
	return l.walk(root.Content[0], "")
}

// walk visits the file's mappings; a leaf is a scalar or a list of scalars.
func (l *Loader) walk(n *yaml.Node, prefix string) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: %s must be a mapping of settings", l.file, n.Line, strings.TrimSuffix("the file."+prefix, "."))
	}
	var errs []error
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		path := prefix + key.Value
		if seen[key.Value] {
			errs = append(errs, fmt.Errorf("%s:%d: %s is set twice", l.file, key.Line, path))
			continue
		}
		seen[key.Value] = true
		s := l.find(func(s *Setting) bool { return s.Path == path })
		section := l.find(func(s *Setting) bool { return strings.HasPrefix(s.Path, path+".") }) != nil
		switch {
		case s != nil:
			text, err := scalarText(value)
			if err == nil {
				err = l.set(s, text, "file")
			} else {
				err = fmt.Errorf("setting %s: %w", path, err)
			}
			if err != nil {
				errs = append(errs, fmt.Errorf("%s:%d: %w", l.file, key.Line, err))
			}
		case section:
			errs = append(errs, l.walk(value, path+"."))
		default:
			errs = append(errs, fmt.Errorf("%s:%d: unknown setting %s%s", l.file, key.Line, path, l.nearest(path, func(s *Setting) string { return s.Path })))
		}
	}
	return errors.Join(errs...)
}

func scalarText(n *yaml.Node) (string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return "", nil
		}
		return n.Value, nil
	case yaml.SequenceNode:
		items := make([]string, 0, len(n.Content))
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode || strings.Contains(item.Value, ",") {
				return "", errors.New("a list holds plain values without commas")
			}
			items = append(items, item.Value)
		}
		return strings.Join(items, ","), nil
	default:
		return "", errors.New("want a value or a list")
	}
}

// nearest suggests the setting whose name is closest, if one is close.
func (l *Loader) nearest(name string, of func(*Setting) string) string {
	best, least := "", 4
	for _, s := range l.settings {
		if d := distance(name, of(s)); d < least {
			best, least = of(s), d
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost++
			}
			previous, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Print writes the configuration as YAML that can be loaded again, with the source of each value and secrets hidden.
func (l *Loader) Print(w io.Writer) error {
	section := ""
	for _, s := range l.settings {
		parts := strings.Split(s.Path, ".")
		prefix := strings.Join(parts[:len(parts)-1], ".")
		if prefix != section {
			for depth, part := range parts[:len(parts)-1] {
				if depth == 0 && strings.HasPrefix(section, part) && section != "" && (section == part || strings.HasPrefix(section, part+".")) {
					continue
				}
				if _, err := fmt.Fprintf(w, "%s%s:\n", strings.Repeat("  ", depth), part); err != nil {
					return err
				}
			}
			section = prefix
		}
		text := yamlText(s)
		indent := strings.Repeat("  ", len(parts)-1)
		if _, err := fmt.Fprintf(w, "%s%s: %s # %s\n", indent, parts[len(parts)-1], text, s.source); err != nil {
			return err
		}
	}
	return nil
}

func yamlText(s *Setting) string {
	if s.Secret && s.Text() != "" {
		return `"" # (hidden)`
	}
	if s.value.Kind().String() == "slice" {
		b, err := yaml.Marshal(&yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: scalars(s.value.Interface().([]string))})
		if err != nil {
			panic("BUG: " + err.Error())
		}
		return strings.TrimSpace(string(b))
	}
	b, err := yaml.Marshal(s.Text())
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return strings.TrimSpace(string(b))
}

func scalars(items []string) []*yaml.Node {
	nodes := make([]*yaml.Node, len(items))
	for i, item := range items {
		nodes[i] = &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: item}
	}
	return nodes
}
