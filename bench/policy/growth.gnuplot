# gnuplot -e "csv='growth.csv'; svg='growth.svg'" growth.gnuplot
set datafile separator ","
set terminal svg size 760,460 font "Helvetica,13" background "white"
set output svg
set logscale xy
set key left top
set grid
set xlabel "number of values, statements or denials"
set ylabel "milliseconds for one proof"
set style data linespoints
plot for [kind in '"values" "values with a star" "statements" "denials"'] \
  csv using ((strcol(1) eq kind) ? $2 : NaN):3 title kind pointtype 7 linewidth 2
