package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText bounds what a report repeats of a text from outside, in runes.
const maxText = 400

// clean makes a text from outside safe to print on one line: control and format
// characters (escape sequences, newlines, bidirectional overrides), private ones and
// bytes that are not UTF-8 become Go's escapes, and what is over maxText is cut.
func clean(s string) string {
	var b strings.Builder
	n := 0
	for i := 0; i < len(s); n++ {
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case n == maxText:
			b.WriteString("…")
			return b.String()
		case c == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case c == ' ' || unicode.IsGraphic(c) && !unicode.Is(unicode.Zs, c):
			b.WriteRune(c)
		case unicode.Is(unicode.Zs, c):
			b.WriteByte(' ')
		default:
			quoted := strconv.QuoteRuneToASCII(c)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return b.String()
}

// markdown escapes a clean text for running Markdown and for a table's cell. An
// underscore between letters or digits opens no emphasis and stays, so that network names
// are readable in the source too.
func markdown(s string) string {
	var b strings.Builder
	r := []rune(s)
	word := func(i int) bool {
		return i >= 0 && i < len(r) && (unicode.IsLetter(r[i]) || unicode.IsDigit(r[i]))
	}
	for i, c := range r {
		switch {
		case c == '<':
			b.WriteString("&lt;")
			continue
		case c == '>':
			b.WriteString("&gt;")
			continue
		case c == '&':
			b.WriteString("&amp;")
			continue
		case c == '_' && word(i-1) && word(i+1):
		case strings.ContainsRune("\\`*_[]|~#!$", c):
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

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
