// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Welfare benefits of many providers, refused where two would overlap
/// @notice A person may hold one benefit per programme group and day; the contract itself refuses a
/// second. Persons are pseudonyms, different in every group. Texts are ASCII in bytes32,
/// left-aligned; a day is the number YYYYMMDD; both ends of a period belong to it.
/// @dev Not here: who may ask for what. The registered gateways decide that before they write.
contract Welfare {
    uint8 private constant APPLIED = 1;
    uint8 private constant GRANTED = 2;
    uint8 private constant ENDED = 3;
    /// @dev An application that a benefit was granted on; it is in no history.
    uint8 private constant TAKEN = 4;
    uint256 private constant HISTORY_LIMIT = 20;

    /// @dev The last five fields share one storage slot, which is all that a search reads.
    struct Record {
        bytes32 person;
        bytes32 group;
        bytes32 programme;
        bytes32 provider;
        uint32 from;
        uint32 to;
        uint64 monthlyAmount;
        uint8 status;
        uint64 place;
    }

    struct Benefit {
        bytes32 id;
        bytes32 programme;
        bytes32 provider;
        uint32 from;
        uint32 to;
        uint64 monthlyAmount;
        uint8 status;
    }

    /// @notice Who registers gateways.
    address public immutable owner;
    /// @notice Who may write.
    mapping(address account => bool registered) public isGateway;

    /// @dev Applications and benefits, by the request that made them. A status of 0 means none.
    mapping(bytes32 request => Record) private records;
    /// @dev The requests that ended a benefit.
    mapping(bytes32 request => bool) private endings;
    /// @dev All records of a person in a group, oldest first. A benefit granted on an application
    /// takes its place here, so that nobody reads a granted application as an open one.
    mapping(bytes32 person => mapping(bytes32 group => bytes32[])) private timelines;
    /// @dev The benefits of a person in a group, granted or ended, by their first day. No two share
    /// a day, so they are in the order of their last days too and can be searched by halving.
    mapping(bytes32 person => mapping(bytes32 group => bytes32[])) private calendars;

    event GatewayRegistered(address indexed gateway, bool registered);
    event BenefitApplied(
        bytes32 indexed request,
        bytes32 indexed person,
        bytes32 group,
        bytes32 programme,
        bytes32 provider,
        uint32 from,
        uint32 to,
        uint64 monthlyAmount
    );
    event BenefitGranted(
        bytes32 indexed request,
        bytes32 indexed person,
        bytes32 application,
        bytes32 group,
        bytes32 programme,
        bytes32 provider,
        uint32 from,
        uint32 to,
        uint64 monthlyAmount
    );
    event BenefitEnded(
        bytes32 indexed request,
        bytes32 indexed person,
        bytes32 benefit,
        bytes32 provider,
        uint32 end,
        bytes32 reason
    );

    /// @dev The benefit that holds a day of the period, and who granted it.
    error OverlappingBenefit(bytes32 benefit, bytes32 provider);
    /// @dev No open application of this id for this person, group, programme and provider.
    error UnknownApplication(bytes32 application);
    error UnknownBenefit(bytes32 benefit);
    /// @dev `provider` did not grant it.
    error NotTheProvider(bytes32 provider);
    error AlreadyEnded(bytes32 benefit);
    /// @dev Not calendar days, or out of order; for an end: outside the benefit's own period.
    error InvalidPeriod(uint32 from, uint32 to);
    error DuplicateRequest(bytes32 request);
    error NotAGateway(address sender);
    error NotTheOwner(address sender);

    modifier onlyGateway() {
        if (!isGateway[msg.sender]) revert NotAGateway(msg.sender);
        _;
    }

    constructor() {
        owner = msg.sender;
        isGateway[msg.sender] = true;
        emit GatewayRegistered(msg.sender, true);
    }

    /// @notice Registers a gateway, or takes its registration away.
    function registerGateway(address gateway, bool registered) external {
        if (msg.sender != owner) revert NotTheOwner(msg.sender);
        isGateway[gateway] = registered;
        emit GatewayRegistered(gateway, registered);
    }

    /// @notice Whether the person holds a benefit of the group on any day of the period, and the
    /// earliest such benefit.
    function overlapCheck(bytes32 person, bytes32 group, uint32 from, uint32 to)
        external
        view
        returns (bool overlapping, bytes32 benefit, bytes32 provider)
    {
        checkPeriod(from, to);
        (benefit,) = search(calendars[person][group], from, to);
        overlapping = benefit != 0;
        provider = records[benefit].provider;
    }

    /// @notice Records an application; it blocks no day.
    function benefitApply(
        bytes32 request,
        bytes32 person,
        bytes32 group,
        bytes32 programme,
        bytes32 provider,
        uint32 from,
        uint32 to,
        uint64 monthlyAmount
    ) external onlyGateway returns (bytes32 application) {
        checkFresh(request);
        checkPeriod(from, to);
        bytes32[] storage timeline = timelines[person][group];
        records[request] = Record(
            person, group, programme, provider, from, to, monthlyAmount, APPLIED, uint64(timeline.length)
        );
        timeline.push(request);
        emit BenefitApplied(request, person, group, programme, provider, from, to, monthlyAmount);
        return request;
    }

    /// @notice Grants a benefit, on an application or (`application` 0) without one.
    function benefitGrant(
        bytes32 request,
        bytes32 application,
        bytes32 person,
        bytes32 group,
        bytes32 programme,
        bytes32 provider,
        uint32 from,
        uint32 to,
        uint64 monthlyAmount
    ) external onlyGateway returns (bytes32 benefit) {
        checkFresh(request);
        checkPeriod(from, to);
        bytes32[] storage timeline = timelines[person][group];
        uint64 place = uint64(timeline.length);
        if (application == 0) {
            timeline.push(request);
        } else {
            place = takeApplication(application, person, group, programme, provider);
            timeline[place] = request;
        }
        reserve(calendars[person][group], request, from, to);
        records[request] =
            Record(person, group, programme, provider, from, to, monthlyAmount, GRANTED, place);
        emit BenefitGranted(
            request, person, application, group, programme, provider, from, to, monthlyAmount
        );
        return request;
    }

    /// @notice Ends a benefit early. Its days up to `end` stay taken, the later ones become free.
    /// @return The benefit; unnamed, because Solidity wants another name than the argument's.
    function benefitEnd(bytes32 request, bytes32 benefit, bytes32 provider, uint32 end, bytes32 reason)
        external
        onlyGateway
        returns (bytes32)
    {
        checkFresh(request);
        Record storage record = records[benefit];
        if (record.status == ENDED) revert AlreadyEnded(benefit);
        if (record.status != GRANTED) revert UnknownBenefit(benefit);
        if (record.provider != provider) revert NotTheProvider(provider);
        checkPeriod(record.from, end);
        if (end > record.to) revert InvalidPeriod(record.from, end);
        record.to = end;
        record.status = ENDED;
        endings[request] = true;
        emit BenefitEnded(request, record.person, benefit, provider, end, reason);
        return benefit;
    }

    /// @notice How many records a person has in a group, and the newest 20 of them, newest first.
    function history(bytes32 person, bytes32 group)
        external
        view
        returns (uint256 count, Benefit[] memory benefits)
    {
        bytes32[] storage timeline = timelines[person][group];
        count = timeline.length;
        benefits = new Benefit[](count < HISTORY_LIMIT ? count : HISTORY_LIMIT);
        for (uint256 i = 0; i < benefits.length; i++) {
            bytes32 id = timeline[count - 1 - i];
            Record storage record = records[id];
            benefits[i] = Benefit(
                id,
                record.programme,
                record.provider,
                record.from,
                record.to,
                record.monthlyAmount,
                record.status
            );
        }
    }

    /// @dev Uses an application up and says which place it held.
    function takeApplication(
        bytes32 application,
        bytes32 person,
        bytes32 group,
        bytes32 programme,
        bytes32 provider
    ) private returns (uint64 place) {
        Record storage record = records[application];
        if (
            record.status != APPLIED || record.person != person || record.group != group
                || record.programme != programme || record.provider != provider
        ) revert UnknownApplication(application);
        record.status = TAKEN;
        return record.place;
    }

    /// @dev Enters a benefit at its place. Only benefits that begin later move, mostly none.
    function reserve(bytes32[] storage calendar, bytes32 benefit, uint32 from, uint32 to) private {
        (bytes32 taken, uint256 index) = search(calendar, from, to);
        if (taken != 0) revert OverlappingBenefit(taken, records[taken].provider);
        calendar.push(benefit);
        for (uint256 i = calendar.length - 1; i > index; i--) {
            calendar[i] = calendar[i - 1];
        }
        calendar[index] = benefit;
    }

    /// @dev The earliest benefit that shares a day with the period (0: none), and the index of the
    /// first one that ends on or after `from`. It reads log2(n) + 1 benefits of n.
    function search(bytes32[] storage calendar, uint32 from, uint32 to)
        private
        view
        returns (bytes32 taken, uint256 index)
    {
        uint256 high = calendar.length;
        while (index < high) {
            uint256 middle = (index + high) / 2;
            if (records[calendar[middle]].to < from) index = middle + 1;
            else high = middle;
        }
        if (index < calendar.length && records[calendar[index]].from <= to) taken = calendar[index];
    }

    /// @dev 0 means "no application" and "no benefit", so no request may be it.
    function checkFresh(bytes32 request) private view {
        if (request == 0 || records[request].status != 0 || endings[request]) {
            revert DuplicateRequest(request);
        }
    }

    function checkPeriod(uint32 from, uint32 to) private pure {
        if (!isDay(from) || !isDay(to) || from > to) revert InvalidPeriod(from, to);
    }

    function isDay(uint32 date) private pure returns (bool) {
        uint32 year = date / 10000;
        uint32 month = (date / 100) % 100;
        uint32 day = date % 100;
        if (year < 1900 || year > 9999 || month < 1 || month > 12 || day < 1) return false;
        if (month == 2) {
            bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            return day <= (leap ? 29 : 28);
        }
        return day <= (month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31);
    }
}
