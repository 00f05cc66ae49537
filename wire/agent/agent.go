// Package agent tells from a User-Agent header what a click came from: browser family, operating system, device class,
// and whether it is a known crawler. Versions are not kept: families are what reports group by.
//
// Families come from the ua-parser project's definitions, crawlers from the list of the crawler-user-agents project
// (crawlers.json; update.sh refreshes it).
package agent

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ua-parser/uap-go/uaparser"
	"go.yaml.in/yaml/v3"

	"github.com/edgeref/edgeref/wire/click"
)

// MaxLen is how much of a User-Agent is looked at, in bytes. No browser's is as long.
const MaxLen = 512

// DefaultCacheSize is the number of agents per generation of the cache: at most about 10 MB in all.
const DefaultCacheSize = 8192

// maxFamily bounds a family, in bytes: some of the definitions take it from the header itself.
const maxFamily = 64

// Unknown is the family where the definitions know none.
const Unknown = "Other"

// Device classes. A tablet that asks for desktop pages (as an iPad does by default) cannot be told from a desktop.
const (
	Desktop = "desktop"
	Mobile  = "mobile"
	Tablet  = "tablet"
	TV      = "tv"
	Other   = "other"
)

//go:embed crawlers.json
var crawlerList []byte

// Class is what a User-Agent says.
type Class struct {
	Browser string // family such as "Chrome" or "Mobile Safari"; Unknown; "" without a User-Agent
	OS      string // family such as "Windows" or "iOS"; Unknown; "" without a User-Agent
	Device  string // one of the device classes
	Crawler bool
}

// Classifier classifies User-Agents. It is safe for concurrent use.
type Classifier struct {
	crawlers []pattern
	browsers []family
	systems  []family
	cache    *cache
}

// family is a pattern and the template of the family's name.
type family struct {
	pattern
	name string
}

// New prepares a classifier whose cache holds cacheSize agents per generation; 0 means DefaultCacheSize.
// It takes tens of milliseconds: make one per process.
func New(cacheSize int) (*Classifier, error) {
	switch {
	case cacheSize < 0:
		return nil, errors.New("agent cache: the size must not be negative")
	case cacheSize == 0:
		cacheSize = DefaultCacheSize
	}
	c := &Classifier{cache: newCache(cacheSize)}
	if err := c.loadCrawlers(); err != nil {
		return nil, err
	}
	if err := c.loadFamilies(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Classifier) loadCrawlers() error {
	var list []struct {
		Pattern string `json:"pattern"`
	}
	if err := json.Unmarshal(crawlerList, &list); err != nil {
		return fmt.Errorf("read crawlers.json: %w", err)
	}
	for _, entry := range list {
		p, err := parse(entry.Pattern, "")
		if err != nil {
			return fmt.Errorf("read crawlers.json: %w", err)
		}
		c.crawlers = append(c.crawlers, p)
	}
	return nil
}

// definition is one of the ua-parser project's; an empty name stands for the first group.
type definition struct {
	Expr    string `yaml:"regex"`
	Flags   string `yaml:"regex_flag"`
	Browser string `yaml:"family_replacement"`
	OS      string `yaml:"os_replacement"`
}

const firstGroup = "$1"

func (c *Classifier) loadFamilies() error {
	var definitions struct {
		Browsers []definition `yaml:"user_agent_parsers"`
		Systems  []definition `yaml:"os_parsers"`
	}
	// The second half are models of phones; the class needs none of them.
	text, _, _ := bytes.Cut(uaparser.DefinitionYaml, []byte("\ndevice_parsers:"))
	if err := yaml.Unmarshal(text, &definitions); err != nil {
		return fmt.Errorf("read user agent definitions: %w", err)
	}
	var err error
	if c.browsers, err = families(definitions.Browsers, func(d definition) string { return d.Browser }); err != nil {
		return err
	}
	c.systems, err = families(definitions.Systems, func(d definition) string { return d.OS })
	return err
}

func families(definitions []definition, name func(definition) string) ([]family, error) {
	list := make([]family, 0, len(definitions))
	for _, d := range definitions {
		p, err := parse(d.Expr, d.Flags)
		if err != nil {
			return nil, err
		}
		list = append(list, family{p, cmp.Or(name(d), firstGroup)})
	}
	return list, nil
}

// Classify returns the class of a User-Agent header. It keeps no reference to userAgent.
func (c *Classifier) Classify(userAgent string) Class {
	if userAgent == "" {
		return Class{Device: Other}
	}
	if len(userAgent) > MaxLen {
		userAgent = userAgent[:MaxLen]
	}
	if class, ok := c.cache.get(userAgent); ok {
		return class
	}
	class := c.classify(plain(userAgent))
	c.cache.put(userAgent, class)
	return class
}

func (c *Classifier) classify(text string) Class {
	lower := strings.ToLower(text)
	class := Class{
		Browser: familyOf(c.browsers, text, lower),
		OS:      familyOf(c.systems, text, lower),
	}
	for i := range c.crawlers {
		if c.crawlers[i].match(text, lower) {
			class.Crawler = true
			break
		}
	}
	class.Device = device(lower, class.OS)
	return class
}

// familyOf is the name that the first matching definition gives.
func familyOf(list []family, text, lower string) string {
	for i := range list {
		f := &list[i]
		if !f.may(lower) {
			continue
		}
		re := f.re()
		m := re.FindStringSubmatchIndex(text)
		if m == nil {
			continue
		}
		name := strings.TrimSpace(string(re.ExpandString(nil, f.name, text, m)))
		if name != "" {
			return name[:min(len(name), maxFamily)]
		}
	}
	return Unknown
}

// Enrich fills in what the record's User-Agent says and clears the User-Agent, which is not kept. The bot reason
// becomes the first that applies, in the order of click.BotReason; prefetch and HEAD are the edge's to set.
func (c *Classifier) Enrich(r *click.Record) {
	class := c.Classify(r.UserAgent)
	r.Browser, r.OS, r.Device = class.Browser, class.OS, class.Device
	switch {
	case class.Crawler:
		r.Bot = click.BotCrawler
	case r.UserAgent == "":
		r.Bot = click.BotNoAgent
	}
	r.UserAgent = ""
}

// plain replaces every byte that is not printable ASCII, so that families are clean text and the patterns' cheap test
// (which folds case in ASCII only) is exact.
func plain(s string) string {
	clean := func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}
	return strings.Map(clean, s)
}
