"""How much room a text takes: letters of 20 points are 11 points wide, lines 24.4 points high."""

from __future__ import annotations

from kpibook.exports import room

#: EMU of eleven letters of 20 points.
WIDTH = 11 * 11 * room.POINT + 1
LINE = 24.4 * room.POINT + 1


def test_lines_break_between_words_and_within_one_that_is_too_long():
    assert room.lines("hello world", 20, WIDTH) == 1
    assert room.lines("hello worlds", 20, WIDTH) == 2
    assert room.lines("a" * 23, 20, WIDTH) == 3
    assert room.lines("one\ntwo\n\nfour", 20, WIDTH) == 4


def test_a_word_of_more_letters_is_broken():
    assert room.is_whole("hello hello world", 20, WIDTH)
    assert not room.is_whole("hello helloworldss", 20, WIDTH)


def test_a_full_width_letter_takes_the_room_of_two():
    assert [room.lines("\u6f22" * n, 20, WIDTH) for n in (5, 6, 11)] == [1, 2, 3]


def test_the_largest_letters_that_fit_are_taken():
    assert room.largest("hello world", (40, 20), WIDTH, LINE) == (20, "hello world")
    assert room.largest("hello", (40, 20), WIDTH, 2 * LINE) == (40, "hello")


def test_what_never_fits_is_cut_and_says_so():
    assert room.largest("hello world and more", (40, 20), WIDTH, LINE) == (20, "hello worl\u2026")


def test_pieces_hold_every_word():
    assert list(room.pieces("hello world and more words", 20, WIDTH, LINE)) == ["hello world", "and more", "words"]
