// Package text makes text from outside (names of files and classes, messages of errors, fields of records) harmless where
// it is shown.
//
// The contract: what comes out of Clean is one line of graphic characters: no terminal takes it for a command, and no
// reader is shown another order of letters than there is. Markdown takes a clean text and returns one without markup.
// Shorten keeps both ends of a text.
//
// It leaves HTML to html/template, and the choice of what is shown to its callers.
package text

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes a text from outside safe to print on one line: control and format characters (escape sequences, newlines,
// bidirectional overrides, zero-width ones), private ones and bytes that are not UTF-8 become Go's escapes. What is over
// most runes is cut; 0 cuts nothing.
func Clean(s string, most int) string {
	var b strings.Builder
	n := 0
	for i := 0; i < len(s); n++ {
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case n == most && most > 0:
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

// Markdown escapes a clean text for running Markdown and for a table's cell. An underscore between letters or digits
// opens no emphasis and stays, so that network names are readable in the source too.
func Markdown(s string) string {
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

// Shorten cuts the middle out of s so that at most n runes are left, n ≥ 3.
func Shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	head := n / 2
	return string(r[:head]) + "…" + string(r[len(r)-(n-1-head):])
}
