# What becomes of replays: figures, tables, pictures, studies.
add_library(hyades_hsim_report STATIC
  bootstrap.cpp dot_chart.cpp forecast_probe.cpp gantt_cells.cpp gantt_svg.cpp job_colours.cpp learned_bars.cpp
  learned_figures.cpp learned_report.cpp line_chart.cpp metrics.cpp metrics_output.cpp prediction_report.cpp
  processor_layout.cpp queue_svg.cpp replay_check.cpp study.cpp study_cache.cpp study_cells.cpp study_charts.cpp study_progress.cpp
  study_report.cpp study_runner.cpp study_tables.cpp svg_page.cpp wait_comparison.cpp
  wait_comparison_output.cpp windows.cpp)
target_link_libraries(hyades_hsim_report PUBLIC hyades_hsim hyades_cli hyades_core Threads::Threads)
