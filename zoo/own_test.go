package zoo

import "testing"

// TestOwnNetworkHasNoPublishedWeights makes a list whose resnet50 is somebody's own: the published figures are those of
// this package's resnet50 alone.
func TestOwnNetworkHasNoPublishedWeights(t *testing.T) {
	own, err := Find("alexnet")
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewList([]Spec{{Name: "resnet50", Build: own.Build, Size: own.Size}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Find("resnet50")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Checkpoints) != 0 {
		t.Errorf("an own network has %d published checkpoints, the first is %s", len(s.Checkpoints), s.Checkpoints[0].Name())
	}
	if c, err := l.FindCheckpoint("resnet50.a1_in1k"); err == nil {
		t.Errorf("found %s in a list without published weights", c.Name())
	}
	more, err := Default().With([]Spec{{Name: "own", Build: own.Build, Size: own.Size}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := more.FindCheckpoint("resnet50.a1_in1k"); err != nil {
		t.Errorf("this package's networks in a longer list: %v", err)
	}
}
