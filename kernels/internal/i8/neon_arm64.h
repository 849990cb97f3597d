// The vector instructions on bytes and whole numbers that Go's assembler does not know, as ../f32/neon_arm64.h has those on float32.

#include "../f32/neon_arm64.h"

// d[i] += Σ n[4i+j]·m[4·lane+j] of signed bytes, j being 0 to 3: four products a number of 32 bits.
#define SDOT16LANE(lane, m, n, d) WORD $(0x4f80e000 | ((lane)&1)<<21 | ((lane)>>1)<<11 | (m)<<16 | (n)<<5 | (d))

// d += n·m[lane], of the four numbers of 16 bits in the lower half of n, and in the upper half; m is one of V0 to V15.
#define SMLAL4LANE(lane, m, n, d) WORD $(0x0f402000 | ((lane)&1)<<20 | ((lane)>>1&1)<<21 | ((lane)>>2)<<11 | (m)<<16 | (n)<<5 | (d))
#define SMLAL4UPPERLANE(lane, m, n, d) WORD $(0x4f402000 | ((lane)&1)<<20 | ((lane)>>1&1)<<21 | ((lane)>>2)<<11 | (m)<<16 | (n)<<5 | (d))

// d += n·m, of four numbers of 16 bits in the lower halves, and in the upper halves; d = n + m, m being such unsigned numbers.
#define SMLAL4(m, n, d) WORD $(0x0e608000 | (m)<<16 | (n)<<5 | (d))
#define SMLAL4UPPER(m, n, d) WORD $(0x4e608000 | (m)<<16 | (n)<<5 | (d))
#define UADDW4(m, n, d) WORD $(0x2e601000 | (m)<<16 | (n)<<5 | (d))
#define UADDW4UPPER(m, n, d) WORD $(0x6e601000 | (m)<<16 | (n)<<5 | (d))

// d = bytes of n as numbers of 16 bits, of the lower half and of the upper half: signed, and unsigned; and these as 32 bits.
#define SXTL8(n, d) WORD $(0x0f08a400 | (n)<<5 | (d))
#define SXTL8UPPER(n, d) WORD $(0x4f08a400 | (n)<<5 | (d))
#define UXTL8(n, d) WORD $(0x2f08a400 | (n)<<5 | (d))
#define UXTL8UPPER(n, d) WORD $(0x6f08a400 | (n)<<5 | (d))
#define UXTL4(n, d) WORD $(0x2f10a400 | (n)<<5 | (d))
#define UXTL4UPPER(n, d) WORD $(0x6f10a400 | (n)<<5 | (d))

// d = n − m and d = n·m, four numbers of 32 bits; d = n + m, eight of 16.
#define SUB4(m, n, d) WORD $(0x6ea08400 | (m)<<16 | (n)<<5 | (d))
#define MUL4(m, n, d) WORD $(0x4ea09c00 | (m)<<16 | (n)<<5 | (d))
#define ADD8(m, n, d) WORD $(0x4e608400 | (m)<<16 | (n)<<5 | (d))

// d = n as float32. d = the larger of n and m, and the smaller: the one that is a number, where the other is none.
#define SCVTF4(n, d) WORD $(0x4e21d800 | (n)<<5 | (d))
#define FMAXNM4(m, n, d) WORD $(0x4e20c400 | (m)<<16 | (n)<<5 | (d))
#define FMINNM4(m, n, d) WORD $(0x4ea0c400 | (m)<<16 | (n)<<5 | (d))

// d = the lower halves of n's numbers, then of m's: of 32 bits, and of 16.
#define NARROW32(m, n, d) WORD $(0x4e401800 | (m)<<16 | (n)<<5 | (d))
#define NARROW16(m, n, d) WORD $(0x4e001800 | (m)<<16 | (n)<<5 | (d))

// The fields of Finish within an argument's.
#define LO(argument) (argument+Finish_Lo)(R0)
#define HI(argument) (argument+Finish_Hi)(R0)
#define RES_SCALE(argument) (argument+Finish_ResScale)(R0)
#define RES_ZERO(argument) (argument+Finish_ResZero)(R0)
#define ZERO_OUT(argument) (argument+Finish_Zero)(R0)
#define OUT_FLOATS(argument) (argument+Finish_OutFloats)(R0)

// SPREAD keeps a field of the argument in all lanes.
#define SPREAD(field, F, v, v4) FMOVS field, F; VDUP v, v4

// BYTES4 makes sums of sixteen columns, as float32 in n and on, bytes in n: the clamp in V4 and V5, Zero in V6's numbers of 16 bits.
#define BYTES4(n) \
	FMAXNM4(4, n, n); FMAXNM4(4, n+1, n+1); FMAXNM4(4, n+2, n+2); FMAXNM4(4, n+3, n+3); \
	FMINNM4(5, n, n); FMINNM4(5, n+1, n+1); FMINNM4(5, n+2, n+2); FMINNM4(5, n+3, n+3); \
	FCVTNS4(n, n); FCVTNS4(n+1, n+1); FCVTNS4(n+2, n+2); FCVTNS4(n+3, n+3); \
	NARROW32(n+1, n, n); NARROW32(n+3, n+2, n+2); ADD8(6, n, n); ADD8(6, n+2, n+2); NARROW16(n+2, n, n)

// BYTES4_LIMITS are what BYTES4 needs; R is lost.
#define BYTES4_LIMITS(argument, R) \
	SPREAD(LO(argument), F4, V4.S[0], V4.S4); \
	SPREAD(HI(argument), F5, V5.S[0], V5.S4); \
	MOVW ZERO_OUT(argument), R; \
	VDUP R, V6.H8

// WIDEN makes the sixteen bytes in v numbers of 32 bits in n to n+3, which v is none of.
#define WIDEN(v, n) \
	UXTL8(v, n+1); UXTL8UPPER(v, n+3); UXTL4(n+1, n); UXTL4UPPER(n+1, n+1); UXTL4(n+3, n+2); UXTL4UPPER(n+3, n+3)

// A block of channels is sixteen of them, eight, four or one: how its bytes come to V and go from it, and its numbers of 32 bits to and
// from four registers. What no byte came to holds anything.
#define LOAD16(a, F, V) FMOVQ (a), F
#define LOAD8(a, F, V) FMOVD (a), F
#define LOAD4(a, F, V) FMOVS (a), F
#define LOAD1(a, F, V) VLD1 (a), V.B[0]
#define STORE16(F, V, a) FMOVQ F, (a)
#define STORE8(F, V, a) FMOVD F, (a)
#define STORE4(F, V, a) FMOVS F, (a)
#define STORE1(F, V, a) VST1 V.B[0], (a)
#define NUMBERS16(a, f0, f1, f2, f3) FLDPQ (a), (f0, f1); FLDPQ 32(a), (f2, f3)
#define NUMBERS8(a, f0, f1, f2, f3) FLDPQ (a), (f0, f1)
#define NUMBERS4(a, f0, f1, f2, f3) FMOVQ (a), f0
#define NUMBERS1(a, f0, f1, f2, f3) FMOVS (a), f0
#define TO_NUMBERS16(f0, f1, f2, f3, a) FSTPQ (f0, f1), (a); FSTPQ (f2, f3), 32(a)
#define TO_NUMBERS8(f0, f1, f2, f3, a) FSTPQ (f0, f1), (a)
#define TO_NUMBERS4(f0, f1, f2, f3, a) FMOVQ f0, (a)
#define TO_NUMBERS1(f0, f1, f2, f3, a) FMOVS f0, (a)

// BLOCKS runs body for R7 channels, a block after the other: body(bytes, how they are loaded and stored, and numbers, a label). The
// labels are the caller's, so that a function may have several.
#define BLOCKS(sixteen, eight, four, some, one, done, inner16, inner8, inner4, inner1, body) \
	SUBS $16, R7; \
	BLT eight; \
	PCALIGN $64; \
sixteen: \
	body(16, LOAD16, STORE16, NUMBERS16, TO_NUMBERS16, inner16); \
	SUBS $16, R7; \
	BGE sixteen; \
	/* The low four bits of R7 are how many are left. */ \
eight: \
	TBZ $3, R7, four; \
	body(8, LOAD8, STORE8, NUMBERS8, TO_NUMBERS8, inner8); \
four: \
	TBZ $2, R7, some; \
	body(4, LOAD4, STORE4, NUMBERS4, TO_NUMBERS4, inner4); \
some: \
	ANDS $3, R7; \
	BEQ done; \
one: \
	body(1, LOAD1, STORE1, NUMBERS1, TO_NUMBERS1, inner1); \
	SUBS $1, R7; \
	BNE one; \
done:
