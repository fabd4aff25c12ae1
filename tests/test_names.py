import pytest

from dim.names import printable


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Äpfel und 花.jpg", "Äpfel und 花.jpg"),
        ("two\nlines\t", "two\\nlines\\t"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("not utf8 \udcff", "not utf8 \\udcff"),
        ("turned \u202egpj.exe", "turned \\u202egpj.exe"),
        ("$x$ <script>", "$x$ <script>"),
    ],
)
def test_a_name_is_one_harmless_line(name, text):
    assert printable(name) == text
    printable(name).encode("utf8")
