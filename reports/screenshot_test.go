package reports

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"zoobench/bench/record"
	networks "zoobench/zoo"
)

// machineOfREADME is where the README's table was measured.
const machineOfREADME = "AMD EPYC, 2 cores, linux/amd64"

// fromREADME returns the rows of the README's table of results as records, less their samples, which it does not have, and
// the noise that it tells.
func fromREADME(t *testing.T) (records []record.Record, noise string) {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(text)
	m := machine()
	m.CPU, m.Commit = "AMD EPYC", ""
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	if found := regexp.MustCompile(`of the host [0-9.]+ %`).FindString(strings.Join(strings.Fields(readme), " ")); found != "" {
		noise = "noise " + found
	}
	_, table, found := strings.Cut(readme, "| published top-1, % |\n|---|---|---|---|---|---|---|---|---|\n")
	if !found {
		t.Fatal("README.md has no table of results in the form that this test reads")
	}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
		if len(cells) != 9 {
			break
		}
		number := func(s string) float64 {
			v, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatalf("%s: %v", cells[0], err)
			}
			return v
		}
		ns := func(s string) int64 { return int64(number(s) * 1e6) }
		lo, hi, _ := strings.Cut(cells[5], " to ")
		spec, err := networks.Default().Find(cells[0])
		if err != nil {
			t.Fatal(err)
		}
		r := record.Record{
			Schema: record.Schema, Kind: record.KindLatency, RunID: "readme", Experiment: "default", Time: at, Machine: m,
			Model: cells[0], Family: spec.Family, Year: spec.Year, ImgSize: int(number(cells[3])), Batch: 1, Threads: 1, Scenario: "single_stream",
			ImagesPerSec: number(cells[6]), Cost: &record.Cost{Params: int64(number(cells[1]) * 1e6), MACs: int64(number(cells[2]) * 1e9)},
			Timing:    &record.Timing{P50: ns(cells[4]), P50Lo: ns(lo), P50Hi: ns(hi)},
			Footprint: &record.Footprint{PeakRSSBytes: int64(number(cells[7])) << 20}, Verdict: record.Verdict{Valid: true},
		}
		if cells[8] != "none known" {
			r.Published = &record.Published{Top1: number(cells[8]), Source: "the README's table"}
		}
		records = append(records, r)
	}
	return records, noise
}

// TestScreenshot draws the README's picture anew, with -update: the page of the figures in its table.
func TestScreenshot(t *testing.T) {
	records, noise := fromREADME(t)
	if len(records) < 20 || noise == "" {
		t.Fatalf("%d records of the README's table, noise %q; want 20 and more, and the noise", len(records), noise)
	}
	if !*update {
		return
	}
	b := open(t, 1200, records)
	b.do(chromedp.EmulateViewport(1200, 1180))
	b.eval(fmt.Sprintf(`document.querySelector(".headline").textContent = %q`, machineOfREADME+" · "+noise))
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("screenshot.png", png, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(png))
}
