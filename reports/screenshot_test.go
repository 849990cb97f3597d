package reports

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"

	"zoobench/bench/record"
	"zoobench/internal/testenv"
)

// TestScreenshot draws the README's image of the page anew, with -update: the page of the run that its table states.
func TestScreenshot(t *testing.T) {
	records, problems, err := record.ReadFile("testdata/default.jsonl")
	if err != nil || len(problems) > 0 || len(records) < 20 {
		t.Fatalf("%d records, %v, %v; want 20 and more", len(records), problems, err)
	}
	if !testenv.Update() {
		return
	}
	b := open(t, 1200, records)
	b.do(chromedp.EmulateViewport(1200, 1180))
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("screenshot.png", png, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(png))
}
