"""What a compiled step sends, by its text."""

from experiments.benchmark.traffic import left_by_operation, sent_by_each

PROGRAM = """
  %all-reduce.1 = f32[3,5]{1,0} all-reduce(%x), channel_id=1
  %all-reduce.2 = (bf16[7]{0}, f32[], /*index=2*/pred[2]{0}) all-reduce(%y, %z, %u), channel_id=2
  %all-gather-start.3 = u8[11,2]{1,0:T(8)} all-gather-start(%v), dimensions={0}
  %fusion = f32[100]{0} fusion(%all-reduce.1), calls=%all-gather
  ROOT %collective-permute = s32[] collective-permute(%w)
"""


def test_bytes_are_those_of_all_results_of_each_kind():
    assert left_by_operation(PROGRAM) == {
        "all-reduce": 4 * 15 + 2 * 7 + 4 + 2,
        "all-gather": 22,
        "collective-permute": 4,
    }


def test_in_a_ring_each_device_sends_its_part_of_what_is_gathered_and_twice_of_what_is_summed():
    assert sent_by_each(4, {"all-gather": 400, "all-reduce": 400, "reduce-scatter": 100}) == 300 + 600 + 300
