# Tests of the engine: the production scheduler in virtual time.

# The logs and the yardsticks are no part of the repository; where they lie beside it, they are used.
add_executable(golden_replay_test golden_replay_test.cpp)
target_compile_definitions(golden_replay_test PRIVATE
  HYADES_TRACES="${PROJECT_SOURCE_DIR}/../shared/traces")
target_link_libraries(golden_replay_test PRIVATE hyades_hsim hyades_hsim_report GTest::gtest_main)
gtest_discover_tests(golden_replay_test)

add_executable(differential_test differential_test.cpp naive_scheduler.cpp)
target_link_libraries(differential_test PRIVATE hyades_hsim hyades_hsim_report GTest::gtest_main)
gtest_discover_tests(differential_test)

add_executable(planner_differential_test
  planner_differential_test.cpp naive_planner.cpp naive_scheduler.cpp random_scenario.cpp
  scenario_run.cpp)
target_link_libraries(planner_differential_test PRIVATE
  hyades_core hyades_policy hyades_trace GTest::gtest_main)
gtest_discover_tests(planner_differential_test)

foreach(test patience_test placement_refiner_test)
  add_executable(${test} ${test}.cpp)
  target_link_libraries(${test} PRIVATE hyades_policy GTest::gtest_main)
  gtest_discover_tests(${test})
endforeach()

add_executable(replay_test replay_test.cpp)
target_link_libraries(replay_test PRIVATE hyades_hsim_what_if GTest::gtest_main)
gtest_discover_tests(replay_test)

add_executable(guard_test guard_test.cpp)
target_link_libraries(guard_test PRIVATE hyades_hsim hyades_hsim_report GTest::gtest_main)
gtest_discover_tests(guard_test)

add_executable(prediction_test prediction_test.cpp)
target_link_libraries(prediction_test PRIVATE hyades_hsim hyades_hsim_report GTest::gtest_main)
gtest_discover_tests(prediction_test)

add_executable(lookahead_test lookahead_test.cpp)
target_link_libraries(lookahead_test PRIVATE hyades_hsim hyades_hsim_report GTest::gtest_main)
gtest_discover_tests(lookahead_test)

add_executable(global_policy_test global_policy_test.cpp)
target_link_libraries(global_policy_test PRIVATE hyades_hsim hyades_hsim_report GTest::gtest_main)
gtest_discover_tests(global_policy_test)

# Gavel's table and traces are no part of the repository either.
add_executable(device_study_test device_study_test.cpp)
target_compile_definitions(device_study_test PRIVATE
  HYADES_GAVEL="${PROJECT_SOURCE_DIR}/../shared/data/gavel")
target_link_libraries(device_study_test PRIVATE
  hyades_hsim_devices GTest::gtest_main GTest::gmock)
gtest_discover_tests(device_study_test)
