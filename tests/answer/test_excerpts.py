from codeintel_rev.answer.excerpts import EXCERPT_LINES, Excerpt, message_excerpt, telling_excerpt
from codeintel_rev.answer.question import question_of

BODY = [
    "first = 1",
    "second = 2",
    "",
    "if broken:",
    "    voucher = cancel(voucher)",
    "    notify(customer)",
    *(f"step_{n} = {n}" for n in range(20)),
]


def test_an_excerpt_holds_most_of_the_question_and_the_start_of_its_paragraph():
    question = question_of("how is a customer told of a cancelled voucher?")

    assert telling_excerpt(question, BODY) == Excerpt(3, 5)


def test_where_no_line_says_enough_it_is_the_beginning():
    question = question_of("how does the compiler allocate registers?")

    assert telling_excerpt(question, BODY) == Excerpt(0, EXCERPT_LINES - 1)


def test_a_short_body_is_shown_whole():
    assert telling_excerpt(question_of("voucher?"), BODY[:6]) == Excerpt(0, 5)


def test_blank_lines_and_the_brace_around_it_are_left_out():
    body = ["", "  name string", "  size int", "", "}"]

    assert telling_excerpt(question_of("what is a box?"), body) == Excerpt(1, 2)
    assert telling_excerpt(question_of("what is a box?"), ["if a {", "  b()", "}"]) == Excerpt(0, 2)


def test_a_message_is_found_across_lines_with_its_whole_statement():
    lines = [
        "def check():",
        "    log('start')",
        "    raise ValueError(",
        "        'the voucher ' f'{name} '",
        "        'was cancelled before it expired'",
        "    )",
        "    return 1",
    ]
    question = question_of("ValueError: the voucher X7 was cancelled before it expired")

    assert message_excerpt(question, lines) == Excerpt(2, 5)


def test_a_message_that_is_not_there_is_not_found():
    assert message_excerpt(question_of("the parcel was lost on its way"), BODY) is None


def test_indentation_that_all_lines_share_is_taken_off():
    assert Excerpt(4, 5).of(BODY) == "voucher = cancel(voucher)\nnotify(customer)"
