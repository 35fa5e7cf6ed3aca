"""What is known to go wrong in servers of this format, and the test here that keeps each from us.

The list is numbered by area: output, reliability, logs, cancellation, inputs, health, and one server for many models.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SERVER = "host/tests/server"
SDK = "sdk/tests"

DEFECTS = {
    "1.1 items of an async generator are sent together at its end": (
        f"{SDK}/_worker/test_execute_async.py::test_an_async_generator_sends_each_item_as_it_is_yielded"
    ),
    "1.2 what was yielded before a failure is lost": (
        f"{SERVER}/test_http_answers.py::test_a_failed_prediction_is_answered_with_what_there_was"
    ),
    "1.3 a failed or canceled answer has no logs": (
        f"{SERVER}/test_http_answers.py::test_a_failed_prediction_is_answered_with_what_there_was"
    ),
    "1.4 an open text file cannot be an output": (
        f"{SERVER}/test_http_answers.py::test_a_stream_of_text_is_a_file"
    ),
    "1.5 answers lack times and inputs": (
        f"{SERVER}/test_http.py::test_a_prediction_is_answered_with_the_whole_object"
    ),
    "1.6 nobody can ask for a prediction later": (
        f"{SERVER}/test_http_async.py::test_an_asynchronous_prediction_is_accepted_at_once_and_polled"
    ),
    "1.7 events have no ids, and nobody can resume": (
        f"{SERVER}/test_sse.py::test_a_dropped_client_resumes_where_it_was"
    ),
    "1.8 the history of events is counted, not weighed": (
        f"{SERVER}/test_event_log.py::test_outputs_beyond_the_limit_are_written_again_for_a_joiner"
    ),
    "1.9 events are written though nobody follows": (
        f"{SERVER}/test_event_log.py::test_nothing_is_written_while_nobody_follows"
    ),
    "1.10 an output file that is missing leaves a success": (
        f"{SDK}/_worker/test_execute.py::test_an_output_file_that_is_not_there_fails_with_its_path"
    ),
    "1.11 uploaded files are in the order in which their uploads end": (
        f"{SERVER}/test_outputs.py::test_files_are_sent_in_order_however_deep_they_are"
    ),
    "1.12 files within objects are not uploaded": (
        f"{SERVER}/test_outputs.py::test_files_are_sent_in_order_however_deep_they_are"
    ),
    "1.13 an upload is tried once": (
        f"{SERVER}/test_outputs.py"
        "::test_what_may_pass_is_tried_again_and_the_rest_fails_the_prediction"
    ),
    "1.14 a file that cannot be uploaded is missing from a success": (
        f"{SERVER}/test_outputs.py"
        "::test_what_may_pass_is_tried_again_and_the_rest_fails_the_prediction"
    ),
    "1.15 an iterator goes on after an item that cannot be uploaded": (
        f"{SERVER}/test_outputs.py"
        "::test_a_failed_item_ends_the_model_and_the_slot_is_free_with_the_answer"
    ),
    "2.1 a dead worker leaves a server that answers 409 for ever": (
        f"{SERVER}/test_http.py::test_a_killed_worker_fails_the_prediction_within_a_second"
    ),
    "2.2 a server that cannot go on never says so": (
        f"{SERVER}/test_service.py::test_three_deaths_in_a_row_are_enough"
    ),
    "2.3 a slot that had a failure is lost": (
        f"{SERVER}/test_histories.py::test_every_history_ends_each_prediction_once_and_frees_its_slot"
    ),
    "2.4 the process of a setup that takes too long lives on": (
        f"{SERVER}/test_service.py::test_a_setup_that_hangs_is_ended_at_its_deadline"
    ),
    "2.5 a worker that dies before it speaks leaves STARTING for ever": (
        f"{SERVER}/test_service.py::test_a_missing_interpreter_is_a_setup_failure"
    ),
    "2.6 what a failed setup printed is lost": (
        f"{SERVER}/test_http.py::test_a_failed_setup_keeps_the_server_up_and_shows_in_its_exit_code"
    ),
    "2.7 predictions are taken before their inputs can be checked": (
        f"{SERVER}/test_service.py::test_before_setup_has_finished_nothing_is_taken"
    ),
    "2.8 what runs without a client is lost at shutdown": (
        f"{SERVER}/test_service.py::test_a_stop_lets_predictions_finish_within_the_grace"
    ),
    "2.9 webhooks on their way are lost at shutdown": (
        f"{SERVER}/test_http_events.py::test_webhooks_are_delivered_before_the_server_ends"
    ),
    "2.10 a shutdown waits without limit": (
        f"{SERVER}/test_service.py::test_a_stop_without_grace_leaves_nobody_waiting"
    ),
    "2.11 a flag that says false is true": (
        f"{SERVER}/test_main.py::test_a_flag_that_says_false_is_false"
    ),
    "2.12 temporary files of predictions pile up": (
        f"{SERVER}/test_service.py::test_files_go_in_and_come_out_and_leave_nothing"
    ),
    "2.13 a failed download leaves its pieces": (
        f"{SDK}/test_path.py::test_a_failed_download_leaves_nothing_and_may_be_tried_again"
    ),
    "2.14 an id of a client leads out of its folder": (
        f"{SERVER}/test_hostile.py::test_paths_and_queries_that_mean_harm_lead_nowhere"
    ),
    "2.15 a second request with an id replaces the first": (
        f"{SERVER}/test_idempotency.py::test_another_input_is_a_conflict_before_and_after_the_end"
    ),
    "2.16 two requests of one moment both start": (
        f"{SERVER}/test_idempotency.py"
        "::test_an_id_that_begins_and_ends_while_the_store_is_asked_does_not_run_again"
    ),
    "2.17 the next request of a client finds its own slot taken": (
        f"{SERVER}/test_http.py::test_a_sequential_client_never_finds_the_server_busy"
    ),
    "2.18 webhooks come in any order": (
        f"{SERVER}/test_webhooks.py::test_the_receiver_is_told_of_start_output_and_end_in_order"
    ),
    "2.19 what a throttle holds back is never sent": (
        f"{SERVER}/test_webhooks.py::test_the_last_update_comes_when_the_interval_is_over"
    ),
    "2.20 one dead receiver delays the others": (
        f"{SERVER}/test_webhooks.py::test_a_dead_receiver_delays_no_other"
    ),
    "3.1 prints of C code and subprocesses are lost": (
        f"{SDK}/_worker/test_execute.py::test_everything_that_is_printed_arrives_in_order_before_the_end"
    ),
    "3.2 a last line without its end leaks into the next prediction": (
        f"{SERVER}/test_http_answers.py::test_a_line_without_its_end_is_in_its_own_prediction"
    ),
    "3.3 logs of predictions that run at once are mixed": (
        f"{SERVER}/test_service.py::test_async_predictions_run_at_once_with_their_own_logs"
    ),
    "3.4 no traceback anywhere": (
        f"{SERVER}/test_service.py::test_a_model_that_fails_is_told_with_its_reason_and_traceback"
    ),
    "3.5 lines are dropped when many come": (
        f"{SERVER}/test_service.py::test_a_megabyte_of_logs_arrives_whole"
    ),
    "4.1 a cancel before the start is lost": (
        f"{SDK}/_worker/test_execute.py::test_a_cancel_that_comes_before_its_prediction_counts"
    ),
    "4.2 a late cancel hits what comes next": (
        f"{SDK}/_worker/test_execute_async.py::test_a_late_cancel_does_nothing"
    ),
    "4.3 a cancel tears what the runtime writes": (
        f"{SDK}/_worker/test_execute.py::test_frames_are_never_torn_by_a_cancel"
    ),
    "4.4 a blocking call is not interrupted": (
        f"{SDK}/_worker/test_execute.py::test_a_cancel_interrupts_a_sleep_and_the_model_may_clean_up"
    ),
    "4.5 what ignores a cancel runs for ever": (
        f"{SERVER}/test_service.py::test_a_model_that_ignores_the_cancel_is_killed_after_the_deadline"
    ),
    "4.6 a cancel does not tell an unknown id from one that is over": (
        f"{SERVER}/test_http_async.py::test_an_unknown_id_is_not_found"
    ),
    "5.1 source and running model are described differently": (
        "host/tests/schema/test_differential.py::test_fixture_reads_the_same_from_source_and_live"
    ),
    "5.2 null is refused where the document allows it": (
        f"{SERVER}/test_http_answers.py::test_null_is_taken_for_an_optional_input"
    ),
    "5.3 choices on a list cannot be satisfied": (
        f"{SDK}/_schema/test_inputs.py::test_choices_of_a_list_are_about_its_items"
    ),
    "5.4 an enum takes the name of another component": (
        f"{SDK}/_schema/test_openapi.py"
        "::test_enum_named_like_a_component_of_the_document_gets_another_name"
    ),
    "5.5 text that is no URL reaches a model that wants a file": (
        f"{SERVER}/test_validation.py::test_each_rule_has_a_readable_message"
    ),
    "5.6 nobody checks what a model returns": (
        f"{SDK}/_schema/test_encode.py::test_other_values_pass_with_a_warning"
    ),
    "5.7 errors have as many shapes as there are causes": (
        f"{SERVER}/test_hostile.py::test_bodies_that_are_not_what_they_should_be_are_refused"
    ),
    "5.8 the text of an error has its prefix twice": (
        f"{SDK}/_worker/test_execute.py::test_a_model_that_raises_fails_with_its_message_and_goes_on"
    ),
    "5.9 an integer metric cannot be incremented by a float": (
        f"{SDK}/test_metrics.py::test_a_sum_of_int_and_float_is_a_float"
    ),
    "5.10 a list metric cannot be appended to": (
        f"{SDK}/test_metrics.py::test_a_list_that_was_recorded_takes_any_item"
    ),
    "5.11 trainings run the prediction": (
        f"{SERVER}/test_main.py"
        "::test_the_module_of_upstream_takes_its_flags_and_tells_the_port_it_got"
    ),
    "5.12 secrets within a list reach the model as text": (
        f"{SERVER}/test_http_answers.py"
        "::test_secrets_within_lists_are_secrets_to_the_model_and_hidden"
    ),
    "6.1 a healthcheck holds up cancels and replies": (
        f"{SDK}/_worker/test_healthcheck.py"
        "::test_one_that_hangs_holds_up_neither_predictions_nor_cancels"
    ),
    "6.2 healthchecks that hang pile up": (
        f"{SDK}/_worker/test_healthcheck.py"
        "::test_there_is_one_at_a_time_however_often_it_is_asked_for"
    ),
    "6.3 nobody knows what a healthcheck that returns None means": (
        f"{SDK}/_worker/test_healthcheck.py::test_only_a_truth_value_can_be_false"
    ),
    "7.1 an id that is used again overwrites the first": (
        f"{SERVER}/test_idempotency.py::test_another_input_is_a_conflict_before_and_after_the_end"
    ),
    "7.2 an error page of another server becomes the input file": (
        f"{SDK}/test_download.py::test_an_http_error_names_the_status_and_hides_the_query"
    ),
    "7.3 a download waits for ever": (
        f"{SDK}/test_download.py::test_a_stalled_server_runs_into_the_timeout"
    ),
    "7.4 a charset beside the content type is refused": (
        f"{SERVER}/test_requests.py::test_parameters_of_the_content_type_are_ignored"
    ),
    "7.5 paths of the server's disk are shown as inputs": (
        f"{SERVER}/test_http_answers.py::test_inputs_are_shown_as_they_came"
    ),
    "7.6 setup runs twice where there are weights": (
        f"{SERVER}/test_http_answers.py::test_setup_runs_once_also_where_there_are_weights"
    ),
}


PROTECTIONS = {
    "a body has a limit": f"{SERVER}/test_http.py::test_a_body_over_the_limit_is_refused",
    "a head has a limit": f"{SERVER}/test_hostile.py::test_heads_and_trailers_without_end_are_refused",
    "an id is no path": f"{SERVER}/test_requests.py::test_an_id_of_other_characters_is_refused",
    "nesting has a limit": (
        f"{SERVER}/test_requests.py"
        "::test_a_deep_body_is_refused_and_a_wide_one_is_not_whatever_their_size"
    ),
    "a download has a size": (
        f"{SDK}/test_download.py::test_a_file_of_unknown_size_is_refused_at_the_limit"
    ),
    "10 GiB by default": f"{SDK}/test_download.py::test_the_default_limit_is_ten_gibibytes",
    "a download has its time": (
        f"{SDK}/test_download.py::test_a_stalled_server_runs_into_the_timeout"
    ),
    "redirects are counted": f"{SDK}/test_download.py::test_redirects_end_at_the_limit",
    "private addresses are refused, however they are written": (
        f"{SDK}/test_public_address.py::test_no_spelling_of_a_private_host_is_fetched"
    ),
    "also where a name leads to one": (
        f"{SDK}/test_public_address.py::test_a_name_that_resolves_to_a_private_address_is_refused"
    ),
    "also where a redirect leads to one": (
        f"{SDK}/test_public_address.py::test_a_redirect_to_a_private_address_is_refused"
    ),
    "unless they are allowed": (
        f"{SDK}/_worker/test_execute.py::test_a_private_url_is_refused_unless_it_is_allowed"
    ),
    "a token is demanded": f"{SERVER}/test_auth.py::test_everything_else_needs_it",
    "but not of probes": f"{SERVER}/test_auth.py::test_probes_need_no_token",
    "the model does not see it": (
        f"{SERVER}/test_http.py::test_a_token_is_demanded_where_one_is_set_and_kept_from_the_model"
    ),
    "receivers of webhooks get their token": (
        f"{SERVER}/test_webhooks.py::test_headers_are_those_that_receivers_know"
    ),
    "and a signature": f"{SERVER}/test_webhooks.py::test_each_attempt_is_signed_and_keeps_its_id",
    "secrets are in no answer, log or store": (
        f"{SERVER}/test_http_answers.py::test_a_secret_is_in_no_answer_no_log_and_no_store"
    ),
    "nor in error texts": f"{SDK}/_schema/test_coerce.py::test_secrets_stay_out_of_messages",
}
"""What the server promises for the case that nobody is to be trusted, and the test of each promise."""


@pytest.mark.parametrize("defect", [*DEFECTS, *PROTECTIONS])
def test_each_known_defect_and_each_protection_has_a_test(root: Path, defect: str) -> None:
    path, _, name = {**DEFECTS, **PROTECTIONS}[defect].partition("::")
    assert re.search(rf"^def {name}\(", (root / path).read_text(encoding="utf-8"), re.MULTILINE)
