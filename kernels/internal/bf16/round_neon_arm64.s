//go:build !purego

#include "textflag.h"

// d = all ones where n is not a NaN.
#define FCMEQ4(n, d) WORD $(0x4e20e400 | (n)<<16 | (n)<<5 | (d))

// ROUND adds to y = x what rounds its upper half to the nearest, of two the even one; a NaN gets the bit that makes it quiet.
#define ROUND(n, x, y, q, m, number) \
	VUSHR $16, x.S4, y.S4; VAND V29.B16, y.B16, y.B16; VADD V30.S4, y.S4, y.S4; VADD x.S4, y.S4, y.S4; \
	VORR V31.B16, x.B16, q.B16; FCMEQ4(n, number); VBIF m.B16, q.B16, y.B16

// func round8NEON(out *uint16, in *float32, n int)
//
//	R0 out   R1 in   R2 groups of eight left   V29 1   V30 0x7fff   V31 the bit of a quiet NaN
TEXT ·round8NEON(SB), NOSPLIT, $0-24
	MOVD out+0(FP), R0
	MOVD in+8(FP), R1
	MOVD n+16(FP), R2
	MOVD $1, R3
	VDUP R3, V29.S4
	MOVD $0x7fff, R3
	VDUP R3, V30.S4
	MOVD $0x400000, R3
	VDUP R3, V31.S4
	PCALIGN $64
eight:
	FLDPQ (R1), (F0, F1)
	ADD $32, R1
	ROUND(0, V0, V2, V4, V6, 6)
	ROUND(1, V1, V3, V5, V7, 7)
	VUZP2 V3.H8, V2.H8, V2.H8
	FMOVQ F2, (R0)
	ADD $16, R0
	SUBS $1, R2
	BNE eight
	RET
