//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "../f32/neon_arm64.h"

#define const_MR const_mr

#include "../f32/gemm_neon_arm64.h"

// SECOND makes pairs in register n their second numbers, and FIRST their first ones.
#define SECOND(n) USHR4(16, n, n); SHL4(16, n, n)
#define FIRST(n) SHL4(16, n, n)

// d = n shifted to the right by so many bits, and to the left, lane by lane.
#define USHR4(bits, n, d) WORD $(0x6f000400 | (64-(bits))<<16 | (n)<<5 | (d))
#define SHL4(bits, n, d) WORD $(0x4f005400 | (32+(bits))<<16 | (n)<<5 | (d))

// MUL adds the second numbers of pair k of a row times those of b, or the first ones.
#define MULSECOND16(k, row, a, f, s, c0, c1, c2, c3, n) \
	FMOVS 4*k(a), f; SECOND(s); FMLA4LANE(0, s, 0, n); FMLA4LANE(0, s, 1, n+1); FMLA4LANE(0, s, 2, n+2); FMLA4LANE(0, s, 3, n+3)
#define MULFIRST16(k, row, a, f, s, c0, c1, c2, c3, n) \
	FMOVS 4*k(a), f; FIRST(s); FMLA4LANE(0, s, 0, n); FMLA4LANE(0, s, 1, n+1); FMLA4LANE(0, s, 2, n+2); FMLA4LANE(0, s, 3, n+3)
#define MULSECOND8(k, row, a, f, s, c0, c1, c2, c3, n) \
	FMOVS 4*k(a), f; SECOND(s); FMLA4LANE(0, s, 0, n); FMLA4LANE(0, s, 1, n+1)
#define MULFIRST8(k, row, a, f, s, c0, c1, c2, c3, n) \
	FMOVS 4*k(a), f; FIRST(s); FMLA4LANE(0, s, 0, n); FMLA4LANE(0, s, 1, n+1)

// STEP is one pair of every row: the second numbers, then the first ones.
#define STEP16(each, k) \
	FLDPQ 64*k(R10), (F0, F1); FLDPQ 64*k+32(R10), (F2, F3); SECOND(0); SECOND(1); SECOND(2); SECOND(3); each(MULSECOND16, k); \
	FLDPQ 64*k(R10), (F0, F1); FLDPQ 64*k+32(R10), (F2, F3); FIRST(0); FIRST(1); FIRST(2); FIRST(3); each(MULFIRST16, k)
#define STEP8(each, k) \
	FLDPQ 32*k(R10), (F0, F1); SECOND(0); SECOND(1); each(MULSECOND8, k); \
	FLDPQ 32*k(R10), (F0, F1); FIRST(0); FIRST(1); each(MULFIRST8, k)

// func gemm6x16NEON(t *Tile)
TEXT ·gemm6x16NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES16(EACH6, 6)
	RET

// func gemm5x16NEON(t *Tile)
TEXT ·gemm5x16NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES16(EACH5, 5)
	RET

// func gemm4x16NEON(t *Tile)
TEXT ·gemm4x16NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES16(EACH4, 4)
	RET

// func gemm3x16NEON(t *Tile)
TEXT ·gemm3x16NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES16(EACH3, 3)
	RET

// func gemm2x16NEON(t *Tile)
TEXT ·gemm2x16NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES16(EACH2, 2)
	RET

// func gemm1x16NEON(t *Tile)
TEXT ·gemm1x16NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES16(EACH1, 1)
	RET

// func gemm6x8NEON(t *Tile)
TEXT ·gemm6x8NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES8(EACH6, 6)
	RET

// func gemm5x8NEON(t *Tile)
TEXT ·gemm5x8NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES8(EACH5, 5)
	RET

// func gemm4x8NEON(t *Tile)
TEXT ·gemm4x8NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES8(EACH4, 4)
	RET

// func gemm3x8NEON(t *Tile)
TEXT ·gemm3x8NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES8(EACH3, 3)
	RET

// func gemm2x8NEON(t *Tile)
TEXT ·gemm2x8NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES8(EACH2, 2)
	RET

// func gemm1x8NEON(t *Tile)
TEXT ·gemm1x8NEON(SB), 0, $384-8
	MOVD t+0(FP), R0
	TILES8(EACH1, 1)
	RET
