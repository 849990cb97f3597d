package text

import "testing"

func TestClean(t *testing.T) {
	for _, test := range []struct {
		name, in string
		most     int
		want     string
	}{
		{"plain", "resnet50, 96 % é 语", 0, "resnet50, 96 % é 语"},
		{"colour and a second line", "a\x1b[31mb\nc", 0, `a\x1b[31mb\nc`},
		{"eight-bit control", "a\u009bb", 0, `a\u009bb`},
		{"another order of letters", "txt.\u202egpj", 0, `txt.\u202egpj`},
		{"isolated order of letters", "a\u2066b\u2069", 0, `a\u2066b\u2069`},
		{"no width", "a\u200bb\ufeffc", 0, `a\u200bb\ufeffc`},
		{"wide and narrow spaces", "a\u3000b\u00a0c", 0, "a b c"},
		{"private", "\ue000", 0, `\ue000`},
		{"no UTF-8", "a\xffb", 0, `a\xffb`},
		{"cut", "abcdef", 3, "abc…"},
		{"as long as may be", "abc", 3, "abc"},
	} {
		if got := Clean(test.in, test.most); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	for in, want := range map[string]string{
		"mobilenet_v2":       "mobilenet_v2",
		"_a_ *b* `c` [d](e)": `\_a\_ \*b\* \` + "`c\\`" + ` \[d\](e)`,
		"<b> | & ~ # ! $x$":  `&lt;b&gt; \| &amp; \~ \# \! \$x\$`,
		`\`:                  `\\`,
	} {
		if got := Markdown(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

// TestShorten keeps the beginning and the end of a text, within a number of runes.
func TestShorten(t *testing.T) {
	for _, test := range []struct {
		text string
		n    int
		want string
	}{{"resnet18", 8, "resnet18"}, {"resnet18", 5, "re…18"}, {"résumé", 4, "ré…é"}, {"", 3, ""}} {
		if got := Shorten(test.text, test.n); got != test.want {
			t.Errorf("Shorten(%q, %d): got %q, want %q", test.text, test.n, got, test.want)
		}
	}
}
