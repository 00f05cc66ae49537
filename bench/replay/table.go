package replay

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// printSummary prints the comparisons and the first differences of each. Errors of out are ignored: what was found is in
// the returned summary too.
func printSummary(out io.Writer, s *Summary) {
	rate := 0.0
	if s.Elapsed > 0 {
		rate = float64(s.Sent) / s.Elapsed.Seconds()
	}
	fmt.Fprintf(out, "\nsent %d clicks in %s (%.0f a second); %d clicks and %d conversions in all; %d clicks recorded without an answer\n\n",
		s.Sent, s.Elapsed.Round(time.Millisecond), rate, s.Clicks, s.Conversions, s.Unanswered)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "groups\texpected\tgot\tdifferences\t  compared")
	for i := range s.Checks {
		c := &s.Checks[i]
		fmt.Fprintf(w, "%d\t%d\t%d\t%d\t  %s\n", c.Groups, c.Expected, c.Got, c.Differences, c.Name)
	}
	_ = w.Flush()
	for i := range s.Checks {
		c := &s.Checks[i]
		if c.Differences == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s: %d differences\n", c.Name, c.Differences)
		for _, detail := range c.Details {
			fmt.Fprintf(out, "  %s\n", detail)
		}
		if more := c.Differences - len(c.Details); more > 0 {
			fmt.Fprintf(out, "  and %d more\n", more)
		}
	}
	if n := s.Differences(); n == 0 {
		fmt.Fprintf(out, "\nno differences in %d comparisons\n", len(s.Checks))
	} else {
		fmt.Fprintf(out, "\n%d differences\n", n)
	}
}
