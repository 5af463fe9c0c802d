# SPDX-License-Identifier: MIT
# perf-script.pl [EVENT]: folds perf script's text as a few regular expressions
# see it, for comparison with pk-fold: samples end with a blank line, names
# have no blanks in front of their parameters, threads no blanks at all.
use strict;
use warnings;

my $round = qr/(\((?:[^()]++|(?1))*+\))/;
my ($want, %sum, @stack, $root, $value) = ($ARGV[0] // '');

sub name {
	my ($line) = @_;
	my ($symbol, $module) =
	    $line =~ /^\s+[0-9a-f]+ (.*) \(((?:[^()]|\([^()]*\))*)\)$/ or die $line;
	$symbol =~ s/\+0x[0-9a-f]+$//;
	if ($symbol eq '[unknown]') {
		$module =~ s/ \(deleted\)$//;
		$module =~ s/.*\///;
		return $module eq '[unknown]' ? $module : "[$module]";
	}
	# Hide what is no parameter list, cut, and bring it back.
	my @hidden;
	my $hide = sub { push @hidden, $_[0]; "\x01$#hidden\x02" };
	1 while $symbol =~ s/(operator\(\)|\(anonymous namespace\)|<[^<>]*>|\{[^{}]*\}|operator(?:<=>|->|<<|>>|<|>))/$hide->($1)/e;
	$symbol =~ s/$round(?= const::|::)/$hide->($1)/ge;
	$symbol =~ s/\(.*//;
	1 while $symbol =~ s/\x01(\d+)\x02/$hidden[$1]/g;
	return $symbol;
}

while (<STDIN>) {
	chomp;
	next if /^#/ || /PERF_RECORD_/;
	if (/^$/) {
		$sum{join ';', $root, reverse @stack} += $value if defined $root;
		undef $root;
	} elsif (/^\s*(\S+)\s+\S+ .*?[\d.]+: +(\d+) +(\S+): *$/) {
		$want = $3 if $want eq '';
		$root = $3 eq $want ? $1 : undef;
		($value, @stack) = ($2);
	} elsif (/^\t/) {
		push @stack, name($_) if defined $root;
	}
}
print "$_ $sum{$_}\n" for sort keys %sum;
