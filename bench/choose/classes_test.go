package choose

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"zoobench/bench/choose/heads"
)

// ofClasses is a choice that picked a row: of each class so many images, of which so many are right.
func ofClasses(metric Metric, images, right []int) *chooser {
	r := &Result{Metric: metric, Limits: Limits{Percentile: 0.5}, Batch: 1}
	o := heads.Outcome{Classes: len(images)}
	for class, n := range images {
		r.Classes = append(r.Classes, fmt.Sprintf("class%02d", class))
		for i := range n {
			said := class
			if i >= right[class] {
				said = (class + 1) % len(images)
			}
			o.Labels, o.Predicted = append(o.Labels, class), append(o.Predicted, said)
		}
	}
	c := &chooser{Result: r, titles: r.Classes}
	c.Pick = &Row{Name: "quick", Head: headProbe, Latency: 1e6, Fits: true, outcome: o, Score: o.Score()}
	even := &Row{Name: "even", Head: headOwn, Latency: 2e6, Fits: true, outcome: o, Score: o.Score()}
	even.Score.Balanced.Value += 0.01
	c.Rows = []*Row{c.Pick, even}
	c.PickName, c.PickHead = c.Pick.Name, c.Pick.Head
	c.Candidates = []*Candidate{{Name: "quick"}, {Name: "even"}}
	c.Changes = []pickChange{{Name: "quick", Head: headProbe}, {Name: "even", Head: headOwn}}
	c.byClass()
	c.Hints = c.hints()
	return c
}

// TestByClass shows the worst classes first, and hints at balanced accuracy and at more images where that is of use.
func TestByClass(t *testing.T) {
	many := make([]int, 40)
	for i := range many {
		many[i] = 40 - i/2
	}
	few := append([]int{2}, many...)
	worse := slices.Clone(few)
	worse[1] = 10
	for _, test := range []struct {
		name          string
		metric        Metric
		images, right []int
		first         string   // in the table
		hints         []string // beginnings or parts, one each
		page          []string
	}{
		{"even and large", byAccuracy, []int{30, 30}, []int{20, 29}, "class00", nil, []string{"| class00 | 30 | 30 | 66.7 % |"}},
		{"unequal", byAccuracy, []int{90, 30}, []int{90, 15}, "class01",
			[]string{"from 30 to 90 images. Accuracy counts every image alike, so it says most about the large classes. " +
				"If every class matters as much as another, add --metric balanced_accuracy. " +
				"even with its own head has the highest balanced accuracy, 76.0 %; the pick has 75.0 %."}, nil},
		{"unequal, by balanced accuracy", byBalanced, []int{90, 30}, []int{90, 15}, "class01", nil, nil},
		{"a class of two images", byBalanced, []int{2, 30}, []int{1, 30}, "class00",
			[]string{"Classes with fewer than 20 different images: 1 of 2. Their accuracies are rough: " +
				"that of class00 is probably between 9.5 % and 90.5 %. Add images to these classes first: class00."}, nil},
		{"classes of two images alone", byAccuracy, []int{2, 2}, []int{1, 2}, "class00", []string{"Add images to these classes."}, nil},
		{"many", byBalanced, few, worse, "class01", []string{"different images: 1 of 41."},
			[]string{"The smallest of the other classes:", "choice.json has all 41 classes."}},
	} {
		c := ofClasses(test.metric, test.images, test.right)
		if len(c.ByClass) != len(test.images) || c.ByClass[0].Class != test.first || len(c.Rivals) != 1 || c.Rivals[0] != "even, own head" {
			t.Errorf("%s: %+v beside %v", test.name, c.ByClass, c.Rivals)
		}
		if len(c.Hints) != len(test.hints) {
			t.Errorf("%s: hints %q, want %q", test.name, c.Hints, test.hints)
			continue
		}
		for i, want := range test.hints {
			if !strings.Contains(c.Hints[i], want) {
				t.Errorf("%s: hint %q, want %q", test.name, c.Hints[i], want)
			}
		}
		if lines := c.ClassLines(); len(lines) > 2*mostClassLines || lines[0][0] != test.first {
			t.Errorf("%s: lines %q", test.name, lines)
		}
		p := &page{}
		c.classesSection(p)
		var md bytes.Buffer
		if err := p.markdown(&md); err != nil {
			t.Fatal(err)
		}
		for _, want := range append(test.page, "accuracy of the pick") {
			if !strings.Contains(md.String(), want) {
				t.Errorf("%s: the page lacks %q:\n%s", test.name, want, md.String())
			}
		}
	}
	if lines := (&Result{}).ClassLines(); lines != nil {
		t.Errorf("without a pick: %q", lines)
	}
}
