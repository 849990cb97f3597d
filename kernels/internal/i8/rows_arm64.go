//go:build !purego

package i8

// {op}NEON computes what {op}VNNI does.

//go:noescape
func addNEON(t *Rows)

//go:noescape
func mulNEON(t *Rows)

//go:noescape
func quantizeNEON(t *Rows)

//go:noescape
func dequantizeNEON(t *Rows)

//go:noescape
func tableNEON(t *Rows)

//go:noescape
func dwconvNEON(t *Window)

//go:noescape
func sumNEON(t *Window)

//go:noescape
func maxNEON(t *Window)
