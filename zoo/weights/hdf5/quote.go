package hdf5

import "fmt"

// quote makes a name from a file fit for an error's line.
func quote(name string) string {
	const most = 120
	if len(name) > most {
		return fmt.Sprintf("%q… (%d bytes)", name[:most], len(name))
	}
	return fmt.Sprintf("%q", name)
}
