//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neon_arm64.h"

// The matrix tile: up to six rows by sixteen columns of sums held in registers, as float32's. A step of k is four bytes of every row
// by four of every column.
//
//	                           b: four k of ->  columns 0–3  4–7  8–11 12–15
//	a rows 0 and 1: V5                          V8   V9   V10  V11
//	a rows 2 and 3: V6                          V12  V13  V14  V15
//	a rows 4 and 5: V7                          …
//
// Where there are dot products (DOT), V0 to V3 are those columns' signed bytes, and the rows' bytes, less 128 as they are unsigned, are
// signed too: eight of each, for two steps, lie in half of a register. V4 is what is subtracted. Elsewhere (WIDENED) V0 to V3 are k 0
// to 3 of all columns, widened to 16 bits with V4 for their upper halves, and half of a row's register has four numbers of 16 bits.
//
//	R0  t                              R12  the tap's addresses in A
//	R1  tiles left                     R13  bytes of the tap left
//	R2  this tile's addresses in A     R19  R, or 0
//	R3  C                              R20, R21  bytes from row to row of C and of R
//	R4–R9  rows of A                   R22  prefetch
//	R10 B                              R24  scratch
//	R11 taps left

// EACH{mr} repeats op for mr rows: op(x, row, its address, how its bytes are loaded: eight and four; its register's number and first
// quarter in it, accumulators, first number).
#define EACH1(op, x) op(x, 0, R4, FIRST8(F5, R4), FIRST4(F5, R4), 5, 0, F8, F9, F10, F11, 8)
#define EACH2(op, x) EACH1(op, x); op(x, 1, R5, SECOND8(V5, R5), SECOND4(V5, R5), 5, 2, F12, F13, F14, F15, 12)
#define EACH3(op, x) EACH2(op, x); op(x, 2, R6, FIRST8(F6, R6), FIRST4(F6, R6), 6, 0, F16, F17, F18, F19, 16)
#define EACH4(op, x) EACH3(op, x); op(x, 3, R7, SECOND8(V6, R7), SECOND4(V6, R7), 6, 2, F20, F21, F22, F23, 20)
#define EACH5(op, x) EACH4(op, x); op(x, 4, R8, FIRST8(F7, R8), FIRST4(F7, R8), 7, 0, F24, F25, F26, F27, 24)
#define EACH6(op, x) EACH5(op, x); op(x, 5, R9, SECOND8(V7, R9), SECOND4(V7, R9), 7, 2, F28, F29, F30, F31, 28)

#define FIRST8(F, a) FMOVD.P 8(a), F
#define SECOND8(V, a) VLD1.P 8(a), V.D[1]
#define FIRST4(F, a) FMOVS.P 4(a), F
#define SECOND4(V, a) VLD1.P 4(a), V.S[2]

// ADDRESS finds a row's first byte, x bytes behind its address. BRING8 and BRING4 bring its next bytes.
#define ADDRESS(x, row, a, load8, load4, s, q, c0, c1, c2, c3, n) MOVD 8*row(R12), a; ADD x, a
#define BRING8(x, row, a, load8, load4, s, q, c0, c1, c2, c3, n) load8
#define BRING4(x, row, a, load8, load4, s, q, c0, c1, c2, c3, n) load4

// START sets a row's sums to what V0 to V3 hold.
#define START(x, row, a, load8, load4, s, q, c0, c1, c2, c3, n) MOV4(0, n); MOV4(1, n+1); MOV4(2, n+2); MOV4(3, n+3)

// COLUMNS brings a step of b as it lies.
#define COLUMNS FLDPQ (R10), (F0, F1); FLDPQ 32(R10), (F2, F3); ADD $64, R10

// DOTS adds a row's products of step x.
#define DOTS(x, row, a, load8, load4, s, q, c0, c1, c2, c3, n) \
	SDOT16LANE(q+x, s, 0, n); SDOT16LANE(q+x, s, 1, n+1); SDOT16LANE(q+x, s, 2, n+2); SDOT16LANE(q+x, s, 3, n+3)

#define DOT_BEGIN VMOVI $128, V4.B16
#define SIGNED VEOR V4.B16, V5.B16, V5.B16; VEOR V4.B16, V6.B16, V6.B16; VEOR V4.B16, V7.B16, V7.B16
#define DOT_EIGHT(each) each(BRING8, 0); SIGNED; COLUMNS; each(DOTS, 0); COLUMNS; each(DOTS, 1)
#define DOT_FOUR(each) each(BRING4, 0); SIGNED; COLUMNS; each(DOTS, 0)

// PRODUCTS adds a row's products of element x of the step, whose columns are V{x}'s and V4's; its four numbers lie from 2·q on.
#define PRODUCTS(x, row, a, load8, load4, s, q, c0, c1, c2, c3, n) \
	SMLAL4LANE(2*q+x, s, x, n); SMLAL4UPPERLANE(2*q+x, s, x, n+1); SMLAL4LANE(2*q+x, s, 4, n+2); SMLAL4UPPERLANE(2*q+x, s, 4, n+3)

#define WIDENED_BEGIN
#define WIDENED_ONE(each, k) SXTL8UPPER(k, 4); SXTL8(k, k); each(PRODUCTS, k)
#define WIDENED_FOUR(each) \
	each(BRING4, 0); VUZP1 V5.S4, V5.S4, V5.S4; VUZP1 V6.S4, V6.S4, V6.S4; VUZP1 V7.S4, V7.S4, V7.S4; UXTL8(5, 5); UXTL8(6, 6); UXTL8(7, 7); \
	VLD4.P 64(R10), [V0.B16, V1.B16, V2.B16, V3.B16]; \
	WIDENED_ONE(each, 0); WIDENED_ONE(each, 1); WIDENED_ONE(each, 2); WIDENED_ONE(each, 3)
#define WIDENED_EIGHT(each) WIDENED_FOUR(each); WIDENED_FOUR(each)

// SCALED makes a row's sums float32 and multiplies them by the columns' scales in V0 to V3.
#define SCALED(x, row, a, load8, load4, s, q, c0, c1, c2, c3, n) \
	SCVTF4(n, n); SCVTF4(n+1, n+1); SCVTF4(n+2, n+2); SCVTF4(n+3, n+3); \
	FMUL4(0, n, n); FMUL4(1, n+1, n+1); FMUL4(2, n+2, n+2); FMUL4(3, n+3, n+3)

// ADDBYTES adds the residual at R19 to a row, less V5 and times V6; x is the distance to the next.
#define ADDBYTES(x, row, a, load8, load4, s, q, c0, c1, c2, c3, n) \
	FMOVQ (R19), F4; ADD x, R19; \
	UXTL8(4, 1); UXTL8UPPER(4, 3); UXTL4(1, 0); UXTL4UPPER(1, 1); UXTL4(3, 2); UXTL4UPPER(3, 3); \
	ADDED(0, n); ADDED(1, n+1); ADDED(2, n+2); ADDED(3, n+3)
#define ADDED(v, n) SUB4(5, v, v); SCVTF4(v, v); FMUL4(6, v, v); FADD4(v, n, n)

// STOREBYTES writes a row's bytes to C.
#define STOREBYTES(x, row, a, load8, load4, s, q, c0, c1, c2, c3, n) BYTES4(n); FMOVQ c0, (R3); ADD x, R3

// ADDFLOATS adds the residual at R19 to a row. STOREFLOATS clamps it to V4 and V5 and writes it to C.
#define ADDFLOATS(x, row, a, load8, load4, s, q, c0, c1, c2, c3, n) \
	FLDPQ (R19), (F0, F1); FLDPQ 32(R19), (F2, F3); ADD x, R19; \
	FADD4(0, n, n); FADD4(1, n+1, n+1); FADD4(2, n+2, n+2); FADD4(3, n+3, n+3)
#define STOREFLOATS(x, row, a, load8, load4, s, q, c0, c1, c2, c3, n) \
	FMAX4(4, n, n); FMAX4(4, n+1, n+1); FMAX4(4, n+2, n+2); FMAX4(4, n+3, n+3); \
	FMIN4(5, n, n); FMIN4(5, n+1, n+1); FMIN4(5, n+2, n+2); FMIN4(5, n+3, n+3); \
	FSTPQ (c0, c1), (R3); FSTPQ (c2, c3), 32(R3); ADD x, R3

// TILES16 is the whole of a microkernel.
#define TILES16(each, START_MULTIPLY, EIGHT, FOUR) \
	MOVD t+0(FP), R0; \
	MOVD Tile_TilesLeft(R0), R1; \
	MOVD Tile_A(R0), R2; \
	MOVD Tile_C(R0), R3; \
	MOVD Tile_R(R0), R19; \
	MOVD Tile_LDC(R0), R20; \
	MOVD Tile_LDR(R0), R21; \
	MOVD Tile_Prefetch(R0), R22; \
tile: \
	/* Start the sums from the bias. */ \
	MOVD Tile_Bias(R0), R24; \
	FLDPQ (R24), (F0, F1); \
	FLDPQ 32(R24), (F2, F3); \
	each(START, 0); \
	START_MULTIPLY; \
	MOVD Tile_B(R0), R10; \
	MOVD Tile_Taps(R0), R11; \
	MOVD R2, R12; \
tap: \
	/* For each tap: find the rows, then run along k, two steps at a time. */ \
	MOVD Tile_Offset(R0), R24; \
	each(ADDRESS, R24); \
	ADD $(8*const_MR), R12; \
	MOVD Tile_K(R0), R13; \
	SUBS $8, R13; \
	BLT k_tail; \
	PCALIGN $64; \
k_loop: \
	PRFM (R22), PLDL2KEEP; \
	ADD $64, R22; \
	EIGHT(each); \
	SUBS $8, R13; \
	BGE k_loop; \
k_tail: \
	TBZ $2, R13, tap_next; \
	FOUR(each); \
tap_next: \
	SUBS $1, R11; \
	BNE tap; \
	/* Finish: scale, residual, clamp, store. */ \
	MOVD Tile_Scale(R0), R24; \
	FLDPQ (R24), (F0, F1); \
	FLDPQ 32(R24), (F2, F3); \
	each(SCALED, 0); \
	MOVW OUT_FLOATS(Tile_Finish), R24; \
	CBNZ R24, floats; \
	CBZ R19, narrow; \
	SPREAD(RES_ZERO(Tile_Finish), F5, V5.S[0], V5.S4); \
	SPREAD(RES_SCALE(Tile_Finish), F6, V6.S[0], V6.S4); \
	each(ADDBYTES, R21); \
narrow: \
	BYTES4_LIMITS(Tile_Finish, R24); \
	each(STOREBYTES, R20); \
	B tile_next; \
floats: \
	CBZ R19, clamp; \
	each(ADDFLOATS, R21); \
clamp: \
	SPREAD(LO(Tile_Finish), F4, V4.S[0], V4.S4); \
	SPREAD(HI(Tile_Finish), F5, V5.S[0], V5.S4); \
	each(STOREFLOATS, R20); \
tile_next: \
	MOVD Tile_Step(R0), R24; \
	ADD R24, R2; \
	MOVD Tile_Move(R0), R24; \
	MOVD Tile_Offset(R0), R4; \
	ADD R24, R4; \
	MOVD R4, Tile_Offset(R0); \
	SUBS $1, R1; \
	BNE tile; \
	MOVD R22, Tile_Prefetch(R0); \
	MOVD ZR, Tile_TilesLeft(R0); \
	RET

// func gemm6x16NEONDOT(t *Tile)
TEXT ·gemm6x16NEONDOT(SB), NOSPLIT, $0-8
	TILES16(EACH6, DOT_BEGIN, DOT_EIGHT, DOT_FOUR)

// func gemm5x16NEONDOT(t *Tile)
TEXT ·gemm5x16NEONDOT(SB), NOSPLIT, $0-8
	TILES16(EACH5, DOT_BEGIN, DOT_EIGHT, DOT_FOUR)

// func gemm4x16NEONDOT(t *Tile)
TEXT ·gemm4x16NEONDOT(SB), NOSPLIT, $0-8
	TILES16(EACH4, DOT_BEGIN, DOT_EIGHT, DOT_FOUR)

// func gemm3x16NEONDOT(t *Tile)
TEXT ·gemm3x16NEONDOT(SB), NOSPLIT, $0-8
	TILES16(EACH3, DOT_BEGIN, DOT_EIGHT, DOT_FOUR)

// func gemm2x16NEONDOT(t *Tile)
TEXT ·gemm2x16NEONDOT(SB), NOSPLIT, $0-8
	TILES16(EACH2, DOT_BEGIN, DOT_EIGHT, DOT_FOUR)

// func gemm1x16NEONDOT(t *Tile)
TEXT ·gemm1x16NEONDOT(SB), NOSPLIT, $0-8
	TILES16(EACH1, DOT_BEGIN, DOT_EIGHT, DOT_FOUR)

// func gemm6x16NEON(t *Tile)
TEXT ·gemm6x16NEON(SB), NOSPLIT, $0-8
	TILES16(EACH6, WIDENED_BEGIN, WIDENED_EIGHT, WIDENED_FOUR)

// func gemm5x16NEON(t *Tile)
TEXT ·gemm5x16NEON(SB), NOSPLIT, $0-8
	TILES16(EACH5, WIDENED_BEGIN, WIDENED_EIGHT, WIDENED_FOUR)

// func gemm4x16NEON(t *Tile)
TEXT ·gemm4x16NEON(SB), NOSPLIT, $0-8
	TILES16(EACH4, WIDENED_BEGIN, WIDENED_EIGHT, WIDENED_FOUR)

// func gemm3x16NEON(t *Tile)
TEXT ·gemm3x16NEON(SB), NOSPLIT, $0-8
	TILES16(EACH3, WIDENED_BEGIN, WIDENED_EIGHT, WIDENED_FOUR)

// func gemm2x16NEON(t *Tile)
TEXT ·gemm2x16NEON(SB), NOSPLIT, $0-8
	TILES16(EACH2, WIDENED_BEGIN, WIDENED_EIGHT, WIDENED_FOUR)

// func gemm1x16NEON(t *Tile)
TEXT ·gemm1x16NEON(SB), NOSPLIT, $0-8
	TILES16(EACH1, WIDENED_BEGIN, WIDENED_EIGHT, WIDENED_FOUR)
