package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"zoobench/reports/text"
)

// maxText bounds what a report repeats of a text from outside, in runes.
const maxText = 400

// clean makes a text from outside safe to print on one line, and cuts it.
func clean(s string) string { return text.Clean(s, maxText) }

// maxSentence bounds what a report says was found, which can name eight networks.
const maxSentence = 3 * maxText

// sentence makes what was found safe to print.
func sentence(s string) string { return text.Clean(s, maxSentence) }

// capital begins a text of this program's with a capital letter.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// markdown escapes a clean text for running Markdown and for a table's cell.
func markdown(s string) string { return text.Markdown(s) }

// finite reports whether v is a number that a report may show.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// percent reports whether v is a number from 0 to 100.
func percent(v float64) bool { return v >= 0 && v <= 100 }

// digits returns how many decimals show v to four significant digits, three at most.
func digits(v float64) int {
	switch v = math.Abs(v); {
	case v < 10:
		return 3
	case v < 100:
		return 2
	case v < 1000:
		return 1
	}
	return 0
}

func fixed(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }

// plural returns "1 thread" and "2 threads".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// list joins at most limit names and counts the rest.
func list(names []string, limit int) string {
	if len(names) > limit {
		return strings.Join(names[:limit], ", ") + fmt.Sprintf(" and %d more", len(names)-limit)
	}
	return strings.Join(names, ", ")
}
