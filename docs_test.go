package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"zoobench/bench/experiment"
	"zoobench/bench/runner"
	"zoobench/internal/testenv"
	"zoobench/reports/findings"
	"zoobench/zoo"
)

var from = flag.String("from", "", "folder of a run of the default experiment, whose results the documents are to state from then on")

// A document is a file of Markdown for those who use the program or change it.
type document struct {
	path string
	text string
}

// documents are all of them.
func documents(t *testing.T) []document {
	t.Helper()
	paths, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []document
	for _, path := range append([]string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"}, paths...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, document{filepath.ToSlash(path), string(text)})
	}
	return all
}

// generated is a part of a document that the program writes, between two comments.
var generated = regexp.MustCompile(`(?s)(<!-- generated: ([a-z ]+) -->\n).*?(<!-- end -->)`)

// TestDocuments holds the documents' parts between <!-- generated: name --> and <!-- end --> to what the program says of
// itself. Each part stands in one document.
func TestDocuments(t *testing.T) {
	timed := timedResults(t)
	parts := map[string]string{
		"commands": commands(t), "experiments": experiments(t), "keys": keys(t), "networks": networks(), "rooms": rooms(t), "pairs": pairs(t),
		"results": timed.table(t, inReadme), "all results": timed.table(t, nil),
	}
	in := map[string]string{}
	for _, d := range documents(t) {
		want := generated.ReplaceAllStringFunc(d.text, func(old string) string {
			m := generated.FindStringSubmatch(old)
			part, ok := parts[m[2]]
			switch {
			case !ok:
				t.Errorf("%s: nothing generates %q", d.path, m[2])
				return old
			case in[m[2]] != "":
				t.Errorf("%s: has the part %q, and so has %s", d.path, m[2], in[m[2]])
			}
			in[m[2]] = d.path
			return m[1] + "\n" + part + "\n" + m[3]
		})
		testenv.Golden(t, d.path, []byte(want))
	}
	for name := range parts {
		if in[name] == "" {
			t.Errorf("no document has the part %q", name)
		}
	}
}

// TestReadmeCounts holds the counts in the README's sentences to the zoo, the default experiment and the claims.
func TestReadmeCounts(t *testing.T) {
	readme := documents(t)[0]
	jobs, err := load(t).Jobs("default")
	if err != nil {
		t.Fatal(err)
	}
	timed, pocket := 0, 0
	for _, s := range zoo.Default().All() {
		if s.Family == "pocket" {
			pocket++
		}
	}
	for _, j := range jobs {
		if j.Latency != nil {
			timed++
		}
	}
	for _, want := range []string{
		fmt.Sprintf("has %d networks", len(zoo.Default().All())-pocket),
		fmt.Sprintf("and %d small ones", pocket),
		fmt.Sprintf("# measures %d networks", timed),
		fmt.Sprintf("%d claims", len(findings.Claims())),
	} {
		if !strings.Contains(readme.text, want) {
			t.Errorf("README.md does not say %q", want)
		}
	}
}

// TestReadmeIsShort keeps the README to what a stranger reads at one sitting; the rest has a place in docs.
func TestReadmeIsShort(t *testing.T) {
	const most = 13 << 10
	if readme := documents(t)[0]; len(readme.text) > most {
		t.Errorf("README.md has %d bytes, want at most %d", len(readme.text), most)
	}
}

// TestReadmeExperiment reads the README's sample experiment.
func TestReadmeExperiment(t *testing.T) {
	found := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(documents(t)[0].text)
	if found == nil {
		t.Fatal("README.md has no sample experiment")
	}
	if _, err := experiment.Parse("README.md", strings.NewReader(found[1]), runner.Known(zoo.Default())); err != nil {
		t.Error(err)
	}
}

// TestPictures holds the documents' pictures to being there, small, described, and a PNG or an SVG.
func TestPictures(t *testing.T) {
	shown := 0
	for _, d := range documents(t) {
		for _, m := range regexp.MustCompile(`!\[([^\]]*)\]\(([^)]+)\)`).FindAllStringSubmatch(d.text, -1) {
			shown++
			path := filepath.Join(filepath.Dir(d.path), filepath.FromSlash(m[2]))
			data, err := os.ReadFile(path)
			if err != nil {
				t.Errorf("%s: %v", d.path, err)
				continue
			}
			if filepath.Ext(path) == ".svg" {
				err = wellFormed(data)
			} else {
				_, err = png.DecodeConfig(bytes.NewReader(data))
			}
			if err != nil || len(data) > 300<<10 || len(m[1]) < 20 {
				t.Errorf("%s: %s: %d bytes, described as %q, error %v; want a described PNG or SVG of at most 300 KiB", d.path, path,
					len(data), m[1], err)
			}
		}
	}
	if shown == 0 {
		t.Error("no document shows a picture")
	}
}

// wellFormed is what hinders a reader of XML.
func wellFormed(data []byte) error {
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
