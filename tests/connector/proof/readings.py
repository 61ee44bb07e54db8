"""What a person says about files that other people made. Written by hand after a look at each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from bi_mcp.connector.columns import Type

Cell: TypeAlias = int | float | str | None

TYPES: Mapping[str, Type] = {
    "i": "int",
    "d": "double",
    "s": "string",
    "D": "date",
    "T": "datetime",
    "b": "int",  # true and false
}


@dataclass(frozen=True)
class Reading:
    """A file and what it holds.

    `types` has a letter for each column, `.` where a person would hesitate and `~` for a column without a name and a
    value. `rows` are given by their number from the top, or the bottom if it is negative; `...` stands for any value.
    """

    archive: str
    member: str
    types: str
    count: int
    rows: Mapping[int, tuple[object, ...]] = field(default_factory=dict)
    header: tuple[str, ...] = ()
    sheet: str = ""
    encoding: str | None = None

    @property
    def title(self) -> str:
        return f"{self.archive} {self.member.rpartition('/')[2]} {self.sheet}".strip()


def _csvkit(
    member: str, types: str, count: int, rows: Mapping[int, tuple[object, ...]], **more: object
) -> Reading:
    return Reading("csvkit", f"examples/{member}", types, count, rows, **more)  # type: ignore[arg-type]


ANY = ...
BOOK = {
    0: ("Chicago Reader", "1971-01-01", 40, 1, 1.0, "1971-01-01 04:14:00", None, None),
    1: (
        "Chicago Sun-Times",
        "1948-01-01",
        63,
        1,
        1.27,
        "1948-01-01 14:57:13",
        None,
        "Extra data beyond headers will be trimmed",
    ),
    2: ("Chicago Tribune", "1920-01-01", 164, 0, 41800000.01, "1920-01-01 00:00:00", None, None),
    3: ("This row has blanks", None, None, None, None, None, None, None),
    4: ("Unicode! Σ", None, None, None, None, None, None, None),
}

READINGS = (
    # Delimiters, line ends, quotes, encodings.
    _csvkit("dummy.csv", "iii", 1, {0: (1, 2, 3)}, header=("a", "b", "c")),
    _csvkit("dummy.tsv", "iii", 1, {0: (1, 2, 3)}, header=("a", "b", "c")),
    _csvkit("dummy.csv.gz", "iii", 1, {0: (1, 2, 3)}, header=("a", "b", "c")),
    _csvkit("sniff_limit.csv", "iii", 1, {0: (1, 2, 3)}, header=("a", "b", "c")),
    _csvkit("optional_quote_characters.csv", "iii", 1, {0: (1, 2, 3)}),
    _csvkit("mac_newlines.csv", "sii", 2, {0: ("1", 2, 3), 1: (ANY, 5, 6)}, header=("a", "b", "c")),
    _csvkit("test_utf8_bom.csv", "iis", 2, {1: (4, 5, "ʤ")}, header=("foo", "bar", "baz")),
    _csvkit("test_utf16_big.csv", "iis", 2, {1: (4, 5, "ʤ")}, header=("a", "b", "c")),
    _csvkit("test_utf16_little.csv", "iis", 2, {1: (4, 5, "ʤ")}, header=("a", "b", "c")),
    # One letter does not tell its encoding: a person would ask.
    _csvkit("test_latin1.csv", "iis", 2, {1: (4, 5, "©")}, encoding="latin-1"),
    Reading(
        "great_tables",
        "great_tables/data/x_currency_symbols.csv",
        "ss",
        20,
        {0: ("dollar", "$"), -1: ("generic", "&#164;")},
    ),
    # Numbers.
    _csvkit("sort_ints_nulls.csv", "iii", 3, {1: (4, None, 6)}),
    _csvkit("test_precision.csv", "d", 1, {0: (1.234567,)}),
    _csvkit("test_locale.csv", "di.", 1, {0: (1.7, 200_000_000, None)}),
    _csvkit("test_no_leading_zeroes.csv", "s.d", 1, {0: ("01", ANY, 0.1)}),
    _csvkit("iris.csv", "dddds", 150, {0: (5.1, 3.5, 1.4, 0.2, "Iris-setosa")}),
    Reading(
        "great_tables",
        "great_tables/data/12-constants.csv",
        # 602214076e15 and 18e16 stand among the numbers, and might be codes.
        "s..iis",
        354,
        {1: ("alpha particle mass", ANY, ANY, 11, 2, "kg"), -2: (ANY, ANY, None, 10, None, "m K")},
    ),
    _csvkit(
        "realdata/FY09_EDU_Recipients_by_State.csv",
        "sssiiiiii~",
        52,
        {
            0: ("ALABAMA", "AL", "01", 6718, 1728, 2703, 1269, 8, 12426),
            -1: ("PUERTO RICO", "PR", "72", 822, 1107, 1565, 927, 3, 4424),
        },
    ),
    _csvkit("realdata/acs2012_5yr_population.csv", "isii", 93, {0: (31001, "Adams County, NE", 31299, 0)}),
    # Leading zeros.
    _csvkit(
        "realdata/census_2000/determination.csv",
        "ssssisiiiiiiissssssss",
        1555,
        {
            0: (
                *("0000", "00", "000", "000", 1, None, 281421905, 209279150, 193376975, 23406075, 8079960),
                *(831225, 2613480, "418", "135", None, None, "U.S.", None, None, "TOTAL PERSONS"),
            )
        },
    ),
    Reading(
        "great_tables",
        "great_tables/data/02-sza.csv",
        "issd",
        816,
        {0: (20, "jan", "0400", None), -1: (50, "dec", "1200", 71.8)},
    ),
    Reading(
        "great_tables",
        "great_tables/data/08-peeps.csv",
        "sssssssssisDid",
        100,
        {
            1: (
                *("Peter", "Möller", "3705 Hidden Pond Road", "Red Boiling Springs", "TN", "37150", "USA"),
                *("pmoeller@example.com", "615-699-3517", 1, "male", "1939-11-22", 175, 74.9),
            )
        },
    ),
    # Words for what is missing.
    Reading(
        "palmerpenguins",
        "palmerpenguins/data/penguins.csv",
        "ssddiisi",
        344,
        {
            0: ("Adelie", "Torgersen", 39.1, 18.7, 181, 3750, "male", 2007),
            3: ("Adelie", "Torgersen", None, None, None, None, ANY, 2007),
        },
    ),
    Reading(
        "palmerpenguins",
        "palmerpenguins/data/penguins-raw.csv",
        "sissssssDddiisdds",
        344,
        {
            0: (
                *("PAL0708", 1, "Adelie Penguin (Pygoscelis adeliae)", "Anvers", "Torgersen"),
                *(
                    "Adult, 1 Egg Stage",
                    "N1A1",
                    "Yes",
                    "2007-11-11",
                    39.1,
                    18.7,
                    181,
                    3750,
                    "MALE",
                    None,
                    None,
                ),
                "Not enough blood for isotopes.",
            )
        },
    ),
    Reading(
        "great_tables",
        "great_tables/data/x-airquality.csv",
        "iidiii",
        153,
        {0: (41, 190, 7.4, 67, 5, 1), 4: (None, None, 14.3, 56, 5, 5)},
    ),
    # Days, moments, truth.
    _csvkit("test_date_format.csv", "D", 2, {0: ("2014-01-02",), 1: ("2012-12-31",)}),
    _csvkit("realdata/README.csv", "sssD", 3, {0: (ANY, ANY, ANY, "2011-04-17")}),
    _csvkit(
        "realdata/ks_1033_data.csv",
        "ssissisddTisis",
        1575,
        {
            0: (
                *("KS", "ALLEN", 20001, "1005-00-073-9421", "RIFLE,5.56 MILLIMETER", 1, "Each", 499, 499),
                *("2006-05-19 00:00:00", 10, "WEAPONS", 1005, "Guns, through 30 mm"),
            ),
            -1: (
                *("KS", "WYANDOTTE", 20209, "8465-01-524-5250", "ASSAULT PACK", 25, "Each", 90.28, 2257),
                *[ANY] * 5,
            ),
        },
    ),
    Reading(
        "great_tables",
        "great_tables/data/06-exibble.csv",
        "dssDsTdss",
        8,
        {
            0: (
                0.1111,
                "apricot",
                "one",
                "2015-01-15",
                "13:35",
                "2018-01-01 02:22:00",
                49.95,
                "row_1",
                "grp_a",
            ),
            -1: (8880000, "honeydew", "eight", "2015-08-15", "20:20", None, 0.44, "row_8", "grp_b"),
        },
    ),
    Reading(
        "lifelines",
        "lifelines/datasets/lymph_node.csv",
        "iDDDiiiiiiiiiiii",
        686,
        {0: (1, "1984-08-17", "1988-04-15", "1990-11-16", 38, 1, 1, 18, 3, 5, 141, 105, 1337, 1, 2282, 0)},
    ),
    Reading(
        "lifelines",
        "lifelines/datasets/nh4.csv",
        "iDDisdb",
        102,
        {
            0: (1, "2009-01-06", "2009-01-13", 2, "<0.006", 0.006, 1),
            -1: (102, "2011-12-13", ANY, 155, ANY, 0.008, 0),
        },
    ),
    Reading(
        "lifelines",
        "lifelines/datasets/canadian_senators.csv",
        "sssssTTsib",
        933,
        {
            0: (
                *(
                    "Abbott, John Joseph Caldwell",
                    "Liberal-Conservative",
                    "Quebec",
                    "Macdonald, John Alexander",
                ),
                *(
                    "1887.05.12 - 1893.10.30  (Death)",
                    "1887-05-12 00:00:00",
                    "1893-10-30 00:00:00",
                    "Death",
                    2363,
                    1,
                ),
            )
        },
        header=(
            *(
                "Name",
                "Political Affiliation at Appointment",
                "Province / Territory",
                "Appointed on the advice of",
            ),
            *("Term (yyyy.mm.dd)", "start_date", "end_date", "reason", "diff_days", "observed"),
        ),
    ),
    Reading(
        "lifelines",
        "lifelines/datasets/multicenter_aids_cohort.tsv",
        "idddi",
        78,
        {0: (1, 1990.425, 4.575, 7.575, 0), -1: (78, 1997.847, 0.0, 0.153, 0)},
    ),
    Reading(
        "vega_datasets",
        "vega_datasets/_data/seattle-weather.csv",
        "Ddddds",
        1461,
        {0: ("2012-01-01", 0.0, 12.8, 5.0, 4.7, "drizzle"), -1: ("2015-12-31", 0.0, 5.6, -2.1, 3.5, "sun")},
    ),
    Reading(
        "vega_datasets",
        "vega_datasets/_data/sf-temps.csv",
        "dT",
        8759,
        {0: (47.8, "2010-01-01 00:00:00"), -1: (48.3, "2010-12-31 23:00:00")},
    ),
    Reading(
        "vega_datasets",
        "vega_datasets/_data/airports.csv",
        "sssssdd",
        3376,
        {0: ("00M", "Thigpen", "Bay Springs", "MS", "USA", 31.95376472, -89.23450472)},
    ),
    Reading(
        "vega_datasets",
        "vega_datasets/_data/la-riots.csv",
        "ssissDsssdd",
        63,
        {
            11: (
                "John",
                "Doe #80",
                None,
                "Male",
                "White",
                "1992-05-02",
                ANY,
                ANY,
                "Homicide",
                -118.2914954,
                ANY,
            )
        },
    ),
    # Lines before the header and after the data.
    _csvkit("test_skip_lines.csv", "iii", 1, {0: (1, 2, 3)}, header=("a", "b", "c")),
    # Workbooks.
    _csvkit("dummy.xls", "iii", 1, {0: (1, 2, 3)}, header=("a", "b", "c")),
    _csvkit("test.xlsx", "sDibdT.s", 5, BOOK),
    _csvkit("sheets.xlsx", "sDibdT.s", 5, BOOK, sheet="data"),
    _csvkit("sheets.xlsx", "iii", 1, {0: (1, 2, 3)}, sheet="ʤ"),
    _csvkit(
        "realdata/ne_1033_data.xlsx",
        "ssissis..Disis",
        1036,
        {
            -1: (
                "NE",
                "YORK",
                31185,
                "1005-00-856-6885",
                "RIFLE,5.56 MILLIMETER",
                1,
                "Each",
                120,
                120,
                "2012-04-20",
                *[ANY] * 4,
            )
        },
    ),
)
